//! Gaps between arrivals: one law, one seed, without end.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};

/// From here on gaps vary by less than a thousandth of a percent: they are constant.
const CONSTANT: f64 = 1e10;

/// Whether gaps of this gamma shape vary at all.
pub(super) fn varies(burstiness: f64) -> bool {
    burstiness < CONSTANT
}

/// Gamma gaps; their mean is their shape, or 1 where they are constant.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    law: Option<Gamma<f64>>,
    rng: ChaCha8Rng,
}

impl Gaps {
    /// `burstiness` is the gamma shape: 1 is Poisson. Gaps are constant where it is infinite, or no
    /// shape at all.
    pub(super) fn new(burstiness: f64, seed: u64) -> Self {
        let is_law = varies(burstiness) && burstiness > 0.0;
        Self {
            law: Gamma::new(burstiness, 1.0).ok().filter(|_| is_law),
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }
}

impl Iterator for Gaps {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        Some(match &self.law {
            Some(law) => law.sample(&mut self.rng),
            None => 1.0,
        })
    }
}
