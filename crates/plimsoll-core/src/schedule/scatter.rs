//! Scattered starts for the streams that a level adds.

use std::time::Duration;

/// Fraction of the golden ratio: the additive sequence of lowest discrepancy.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The start offset of the `i`-th new stream within `spread`. Low-discrepancy and not equally
/// spaced: equal spacing makes fixed lengths a best case (statistics.md §9.12).
pub fn scatter(i: u32, spread: Duration) -> Duration {
    spread.mul_f64((f64::from(i) * GOLDEN).fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_starts_covers_the_spread_evenly() {
        let spread = Duration::from_secs(1);
        for n in [4u32, 10, 33, 100] {
            let mut starts: Vec<f64> = (0..n).map(|i| scatter(i, spread).as_secs_f64()).collect();
            starts.sort_by(f64::total_cmp);
            let largest = starts
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .fold(0.0, f64::max);
            assert!(largest < 2.7 / f64::from(n), "{n}: {largest}");
            assert!(starts.iter().all(|start| (0.0..1.0).contains(start)));
        }
    }
}
