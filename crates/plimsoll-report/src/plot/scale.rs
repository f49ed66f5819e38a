//! From values to pixels: linear and logarithmic scales, their ticks and tick labels.

use super::drawable;

/// How values are spread over an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    Linear,
    Log,
}

/// A logarithmic axis with fewer ticks gets finer ones.
const FEWEST_TICKS: usize = 4;
/// The smallest value that a logarithmic axis shows.
const LOG_FLOOR: f64 = 1e-6;

/// A scale: `low` and `high` are the values at its two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    spread: Spread,
    low: f64,
    high: f64,
}

/// A tick: its value and how it is written.
pub(super) type Tick = (f64, String);

impl Scale {
    /// A logarithmic scale of loads that leaves some air on both sides of `values`.
    pub(super) fn loads(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = bounds(values.filter(|v| *v >= LOG_FLOOR))?;
        let air = (high / low)
            .powf(0.04)
            .max(if high / low < 2.0 { 1.15 } else { 1.0 });
        Some(Self {
            spread: Spread::Log,
            low: low / air,
            high: high * air,
        })
    }

    /// A linear scale from 0 to a round number above all `values`.
    pub(super) fn from_zero(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (_, high) = bounds(values)?;
        let high = if high > 0.0 { high } else { 1.0 };
        let step = round_step(high / 6.0);
        Some(Self {
            spread: Spread::Linear,
            low: 0.0,
            high: (high * 1.04 / step).ceil() * step,
        })
    }

    /// A scale of latencies: linear from 0, or logarithmic if they differ by more than a factor
    /// of 20, for then a linear one would flatten all but the largest.
    pub(super) fn latencies(values: &[f64]) -> Option<Self> {
        let (low, high) = bounds(values.iter().copied())?;
        if low < LOG_FLOOR || high / low <= 20.0 {
            return Self::from_zero(values.iter().copied());
        }
        let all = one_two_five(low / 10.0, high * 10.0);
        let low = all
            .iter()
            .copied()
            .rfind(|t| *t < low * 0.98)
            .unwrap_or(low);
        let high = all
            .iter()
            .copied()
            .find(|t| *t > high * 1.02)
            .unwrap_or(high);
        Some(Self {
            spread: Spread::Log,
            low,
            high,
        })
    }

    /// Where `value` lies, 0 at the low end and 1 at the high end; `None` if it has no place.
    pub(super) fn position(&self, value: f64) -> Option<f64> {
        let value = drawable(value)?;
        let position = match self.spread {
            Spread::Linear => (value - self.low) / (self.high - self.low),
            Spread::Log if value < LOG_FLOOR => return None,
            Spread::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        (-1e-6..=1.0 + 1e-6).contains(&position).then_some(position)
    }

    /// As few as tell the scale: by decades, more within one, and evenly where it is narrow.
    fn log_ticks(&self) -> Vec<f64> {
        let (low, high) = (self.low, self.high);
        let steps = round_step((high - low) / 6.0);
        [
            one_two_five(low, high),
            decades(low, high, &[1.0, 2.0, 3.0, 5.0, 7.0]),
        ]
        .into_iter()
        .find(|ticks| ticks.len() >= FEWEST_TICKS)
        .unwrap_or_else(|| multiples(steps, low, high))
    }

    /// Round values along the scale, with their labels.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let values = match self.spread {
            Spread::Linear => multiples(round_step(self.high / 6.0), self.low, self.high),
            Spread::Log => self.log_ticks(),
        };
        let step = smallest_gap(&values);
        let decimals_of = |value: f64| match self.spread {
            Spread::Linear => step,
            Spread::Log => value,
        };
        values
            .into_iter()
            .map(|value| (value, number(value, decimals_of(value))))
            .collect()
    }
}

/// Smallest and largest of the drawable `values`.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .filter_map(drawable)
        .fold(None, |found, v| match found {
            None => Some((v, v)),
            Some((low, high)) => Some((low.min(v), high.max(v))),
        })
}

/// The next of 1, 2, 2.5, 5 times a power of ten at or above `least`.
fn round_step(least: f64) -> f64 {
    let power = 10.0_f64.powf(least.max(1e-12).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// Multiples of `step` from `low` to `high`.
fn multiples(step: f64, low: f64, high: f64) -> Vec<f64> {
    let first = (low / step - 1e-6).ceil();
    let count = ((high / step + 1e-6).floor() - first).clamp(0.0, 20.0) as usize;
    (0..=count)
        .map(|i| (first + i as f64) * step)
        .filter(|v| *v <= high * (1.0 + 1e-6))
        .collect()
}

/// 1, 2, 5, 10, 20, 50 … from `low` to `high`; powers of ten alone when these are too many.
fn one_two_five(low: f64, high: f64) -> Vec<f64> {
    let count = high.log10().ceil() - low.log10().floor();
    decades(
        low,
        high,
        if count > 6.0 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        },
    )
}

/// The multiples of powers of ten by `mantissas` from `low` to `high`; fewer powers when these are
/// too many.
fn decades(low: f64, high: f64, mantissas: &[f64]) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    (first..=last)
        .filter(|d| last - first <= 14 || (d - first) % 3 == 0)
        .flat_map(|d| mantissas.iter().map(move |m| m * 10.0_f64.powi(d)))
        .filter(|v| *v >= low * (1.0 - 1e-6) && *v <= high * (1.0 + 1e-6))
        .collect()
}

fn smallest_gap(values: &[f64]) -> f64 {
    values
        .windows(2)
        .map(|w| w[1] - w[0])
        .fold(f64::INFINITY, f64::min)
}

/// Writes `value` with the decimals that values `step` apart need.
pub(super) fn number(value: f64, step: f64) -> String {
    if value.abs() >= 1e7 {
        return format!("{value:.0e}");
    }
    let decimals = (0..6_i32)
        .find(|d| {
            let scaled = step * 10.0_f64.powi(*d);
            !scaled.is_finite() || (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
        })
        .unwrap_or(6);
    let decimals = if step.is_finite() {
        decimals
    } else {
        i32::from(value.fract() != 0.0)
    };
    format!("{value:.*}", decimals.unsigned_abs() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale) -> String {
        scale
            .ticks()
            .into_iter()
            .map(|t| t.1)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn streams_are_labelled_with_plain_integers() {
        let wide = Scale::loads([1.0, 1000.0].into_iter()).unwrap();
        assert_eq!(labels(wide), "1 2 5 10 20 50 100 200 500 1000");
        let narrow = Scale::loads([40.0, 48.0].into_iter()).unwrap();
        assert_eq!(labels(narrow), "35 40 45 50 55");
        let rates = Scale::loads([2.27, 36.7].into_iter()).unwrap();
        assert_eq!(labels(rates), "3 5 7 10 20 30");
        let slow = Scale::loads([0.02, 0.61].into_iter()).unwrap();
        assert_eq!(labels(slow), "0.02 0.05 0.1 0.2 0.5");
    }

    #[test]
    fn one_value_still_spans_a_range() {
        let one = Scale::loads([8.0].into_iter()).unwrap();
        assert!((one.position(8.0).unwrap() - 0.5).abs() < 1e-9);
        let zero = Scale::from_zero([0.0, 0.0].into_iter()).unwrap();
        assert_eq!(zero.position(0.0), Some(0.0));
    }

    #[test]
    fn latencies_are_logarithmic_only_when_they_differ_much() {
        assert_eq!(
            labels(Scale::latencies(&[100.0, 900.0]).unwrap()),
            "0 200 400 600 800 1000"
        );
        assert_eq!(
            labels(Scale::latencies(&[60.0, 3000.0]).unwrap()),
            "50 100 200 500 1000 2000 5000"
        );
    }

    #[test]
    fn what_has_no_place_has_no_position() {
        let scale = Scale::loads([1.0, 100.0].into_iter()).unwrap();
        for value in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e9] {
            assert_eq!(scale.position(value), None, "{value}");
        }
        assert_eq!(Scale::from_zero([f64::NAN].into_iter()), None);
    }

    #[test]
    fn small_rates_get_the_decimals_they_need() {
        assert_eq!(
            labels(Scale::from_zero([0.31].into_iter()).unwrap()),
            "0.0 0.1 0.2 0.3 0.4"
        );
    }
}
