//! How much of a series belongs to its start: MSER-5 (White 1997; White, Cobb & Spratt 2000).

use super::{mean, student_t_upper, variance};

/// Values in one batch: the 5 of MSER-5.
const BATCH: usize = 5;
/// Fewer batches say nothing of a start.
const FEWEST: usize = 20;
/// A start must differ from the rest by so much that this is its chance (two-sided). The cut is
/// chosen where the start differs most, hence the small number.
const CHANCE: f64 = 0.0005;
/// Stretches of the rest that its standard error comes from.
const STRETCHES: usize = 10;

/// A start that does not look like the rest of its series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Its share of the series, 0..=0.5.
    pub share: f64,
    /// Mean of the start.
    pub start_mean: f64,
    /// Mean of the rest.
    pub rest_mean: f64,
}

/// The start that MSER-5 cuts off: where the standard error of what is left is least, within the
/// first half. `None` where nothing is cut, below 100 values, or where the start does not differ
/// significantly: on steady series MSER-5 cuts as well, at random.
pub fn unlike_start(series: &[f64]) -> Option<Start> {
    let batches = batch_means(series, BATCH);
    if batches.len() < FEWEST {
        return None;
    }
    let cut = least_error(&batches);
    if cut == 0 {
        return None;
    }
    let (start, rest) = series.split_at(cut * BATCH);
    let found = Start {
        share: start.len() as f64 / series.len() as f64,
        start_mean: mean(start)?,
        rest_mean: mean(rest)?,
    };
    let stretches = batch_means(rest, rest.len() / STRETCHES);
    let error = (variance(&stretches)? / STRETCHES as f64
        * (1.0 + rest.len() as f64 / start.len() as f64))
        .sqrt();
    let distance = (found.start_mean - found.rest_mean).abs() / error.max(f64::MIN_POSITIVE);
    (student_t_upper(distance, STRETCHES as f64 - 1.0) < CHANCE / 2.0).then_some(found)
}

/// Where to cut, in batches: the least squared standard error of the mean of what is left, from the
/// end on by Welford's recurrence.
fn least_error(batches: &[f64]) -> usize {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let (mut best, mut least) = (0, f64::INFINITY);
    for (cut, value) in batches.iter().enumerate().rev() {
        count += 1.0;
        let distance = value - mean;
        mean += distance / count;
        squares += distance * (value - mean);
        let error = squares / (count * count);
        if cut <= batches.len() / 2 && error <= least {
            (best, least) = (cut, error);
        }
    }
    best
}

/// Means of equal batches; what is left over at the start is dropped.
pub(super) fn batch_means(series: &[f64], size: usize) -> Vec<f64> {
    let size = size.max(1);
    series[series.len() % size..]
        .chunks_exact(size)
        .filter_map(mean)
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    /// A stationary first-order autoregression with variance 1.
    pub(in crate::stats) fn autoregression(correlation: f64, n: usize, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut value: f64 = StandardNormal.sample(&mut rng);
        let noise = (1.0 - correlation * correlation).sqrt();
        (0..n)
            .map(|_| {
                let fresh: f64 = StandardNormal.sample(&mut rng);
                value = correlation * value + noise * fresh;
                value
            })
            .collect()
    }

    /// Of 200 series: how many raise an alarm.
    pub(in crate::stats) fn alarms(
        correlation: f64,
        n: usize,
        raise: impl Fn(Vec<f64>) -> bool,
    ) -> usize {
        (0..200)
            .filter(|seed| raise(autoregression(correlation, n, *seed)))
            .count()
    }

    #[test]
    fn the_cut_is_where_the_error_of_the_rest_is_least() {
        // By the definition: Σ(x − mean)²/(m − d)² over all cuts d of the first half.
        let series = [9.0, 7.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0];
        let by_definition = (0..=4)
            .map(|cut| {
                let rest = &series[cut..];
                let center = mean(rest).unwrap();
                let squares: f64 = rest.iter().map(|x| (x - center).powi(2)).sum();
                squares / (rest.len() as f64).powi(2)
            })
            .collect::<Vec<_>>();
        let least = by_definition.iter().copied().fold(f64::INFINITY, f64::min);
        assert!((by_definition[least_error(&series)] - least).abs() < 1e-12);
        assert_eq!(least_error(&series), 2);
    }

    #[test]
    fn a_start_that_is_worse_is_found_with_its_length() {
        let mut series = autoregression(0.0, 400, 1);
        for value in &mut series[..120] {
            *value += 5.0;
        }
        let found = unlike_start(&series).unwrap();
        // It never stops short of the step, and cuts a little more by chance.
        assert!((0.3..0.4).contains(&found.share), "{found:?}");
        assert!(found.start_mean > 3.5 && found.rest_mean < 0.5, "{found:?}");
        assert_eq!(unlike_start(&series[..99]), None);
    }

    #[test]
    fn steady_series_raise_no_alarm() {
        for (correlation, n, most) in [(0.0, 200, 4), (0.5, 500, 4), (0.8, 500, 4), (0.9, 1_500, 4)]
        {
            let count = alarms(correlation, n, |series| unlike_start(&series).is_some());
            assert!(count <= most, "{correlation}: {count} of 200");
        }
    }

    #[test]
    fn a_step_of_two_standard_deviations_is_seen() {
        for (correlation, least) in [(0.0, 195), (0.5, 190), (0.8, 150)] {
            let count = alarms(correlation, 500, |mut series| {
                series[..150].iter_mut().for_each(|value| *value += 2.0);
                unlike_start(&series).is_some()
            });
            assert!(count >= least, "{correlation}: {count} of 200");
        }
    }
}
