//! Lognormal step jitter from a table: a draw is one multiplication.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Entries of the table: a power of two, so that a draw is a mask.
const SIZE: usize = 1 << 13;

/// Draws factors with mean 1.
#[derive(Debug, Clone)]
pub(super) struct Jitter {
    table: Vec<f64>,
    state: u64,
}

impl Jitter {
    /// Factors with the given coefficient of variation; 0 gives 1 always.
    pub(super) fn new(cv: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let variance = (cv * cv).ln_1p();
        let table = (0..SIZE)
            .map(|_| {
                let z: f64 = StandardNormal.sample(&mut rng);
                if cv > 0.0 {
                    (variance.sqrt() * z - variance / 2.0).exp()
                } else {
                    1.0
                }
            })
            .collect();
        Self {
            table,
            state: rng.random::<u64>() | 1,
        }
    }

    /// The next factor.
    pub(super) fn draw(&mut self) -> f64 {
        let entry = (self.bits() >> 40) as usize & (SIZE - 1);
        self.table[entry]
    }

    /// A uniform number in 0..1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `xorshift64*` (Vigna 2016).
    fn bits(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
