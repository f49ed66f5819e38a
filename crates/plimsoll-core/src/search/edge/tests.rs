use super::points::Seen;
use super::spread::{Scatter, Visit};
use super::*;

/// The true capacity, streams.
const CAPACITY: f64 = 60.0;
/// Slope of the mean, d(mean/bound) / d ln N, and the standard deviation of a slice's mean/bound.
const SLOPE: f64 = 1.5;
const SLICE: f64 = 0.06;
/// Requests of each stream in a slice.
const PER_STREAM: f64 = 2.0;
/// Loads visited, streams, with the slices of each visit: short ones among them.
const VISITS: [(f64, usize); 10] = [
    (48.0, 1),
    (64.0, 1),
    (56.0, 4),
    (66.0, 1),
    (58.0, 4),
    (63.0, 2),
    (61.0, 4),
    (59.0, 4),
    (62.0, 1),
    (60.0, 4),
];

/// Uniform numbers (Knuth's MMIX generator), and what is nearly normal: the sum of twelve.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        let (factor, step) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(step);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A visit whose requests share the state of the server: they promise a fifth of the true error.
fn visit(streams: f64, slices: usize, noise: &mut Noise) -> Point {
    let truth = 1.0 + SLOPE * (streams / CAPACITY).ln();
    let means: Vec<f64> = (0..slices)
        .map(|_| truth + SLICE * noise.normal())
        .collect();
    let ratio = means.iter().sum::<f64>() / slices as f64;
    let per_slice = streams * PER_STREAM;
    let squares = means
        .iter()
        .map(|mean| per_slice * (mean / ratio - 1.0).powi(2));
    Point {
        ln_load: streams.ln(),
        seen: Seen::Mean {
            excess: 0.0,
            error: f64::INFINITY,
            df: 1.0,
        },
        visits: Vec::new(),
        means: vec![Visit {
            excess: ratio - 1.0,
            ratio,
            n: per_slice * slices as f64,
            scatter: Scatter {
                squares: squares.sum(),
                df: (slices - 1) as f64,
            },
            by_requests: (slices < 4).then(|| per_slice * (SLICE / 5.0).powi(2)),
            doubt: 0.0,
        }],
    }
}

/// The ends that are exceeded with a chance of 97.5 and 2.5 %, streams.
fn interval(seed: u64) -> (f64, f64) {
    let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let points = VISITS
        .iter()
        .map(|(streams, slices)| visit(*streams, *slices, &mut noise))
        .collect();
    let candidates = grid(30f64.ln(), 120f64.ln(), 160);
    let objective = Objective::near_edge(points, &candidates).unwrap();
    let survival = objective.survival_at(&candidates);
    let at = |q: f64| quantile(&survival, &candidates, q).exp();
    (at(0.025), at(0.975))
}

#[test]
fn the_interval_by_a_mean_covers_as_promised_though_requests_promise_too_much() {
    let all: Vec<(f64, f64)> = (1..=200).map(interval).collect();
    let covered = all
        .iter()
        .filter(|(lower, upper)| (*lower..=*upper).contains(&CAPACITY))
        .count();
    assert!(covered >= 186, "{covered} of 200");
    let mut ratios: Vec<f64> = all.iter().map(|(lower, upper)| upper / lower).collect();
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[100] < 1.1, "{}", ratios[100]);
}

#[test]
fn a_mean_of_which_nothing_tells_the_error_has_no_edge() {
    let mut point = visit(60.0, 1, &mut Noise(1));
    point.means[0].by_requests = None;
    assert!(Objective::near_edge(vec![point], &grid(3.0, 5.0, 48)).is_none());
}
