//! What is searched along: streams, or arrivals per second. The search counts in rungs, so that
//! loads have an order and a next one; 0 is no load at all.

use serde::{Deserialize, Serialize};

use super::Load;

/// What is searched for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Concurrent streams: a rung is a stream.
    #[default]
    Streams,
    /// Arrivals per second, from 0.01 on: a rung is 1 %, in three digits.
    Rate,
}

/// The lowest rate, arrivals per second, and the ratio of neighbouring ones.
const LOWEST_PER_S: f64 = 0.01;
const RATIO: f64 = 1.01;

impl Axis {
    /// The load of a rung.
    pub fn load(self, rung: u32) -> Load {
        match self {
            Self::Streams => Load::Streams(rung),
            Self::Rate => Load::RatePerS(self.amount(rung)),
        }
    }

    /// Streams or arrivals per second of a rung; 0 of rung 0.
    pub fn amount(self, rung: u32) -> f64 {
        match (self, rung.checked_sub(1)) {
            (Self::Streams, _) => f64::from(rung),
            (Self::Rate, None) => 0.0,
            (Self::Rate, Some(steps)) => three_digits(LOWEST_PER_S * RATIO.powf(f64::from(steps))),
        }
    }

    /// The rung of a level's load; `None` of the other kind.
    pub fn rung(self, load: Load) -> Option<u32> {
        match (self, load) {
            (Self::Streams, Load::Streams(streams)) => Some(streams),
            (Self::Rate, Load::RatePerS(rate)) => Some(self.nearest(rate)),
            _ => None,
        }
    }

    /// The highest rung at or below an amount.
    pub fn at_most(self, amount: f64) -> u32 {
        let near = self.nearest(amount);
        if self.amount(near) > amount * (1.0 + 1e-9) {
            near.saturating_sub(1)
        } else {
            near
        }
    }

    /// The amount of the highest rung at or below an amount.
    pub fn rounded_down(self, amount: f64) -> f64 {
        self.amount(self.at_most(amount))
    }

    /// The lowest rung at or above an amount, at least 1.
    pub fn at_least(self, amount: f64) -> u32 {
        let near = self.nearest(amount).max(1);
        if self.amount(near) < amount * (1.0 - 1e-9) {
            near + 1
        } else {
            near
        }
    }

    fn nearest(self, amount: f64) -> u32 {
        match self {
            Self::Streams => amount.round().max(0.0) as u32,
            Self::Rate if amount < LOWEST_PER_S / RATIO => 0,
            Self::Rate => ((amount / LOWEST_PER_S).ln() / RATIO.ln()).round() as u32 + 1,
        }
    }
}

/// A rate as people write it.
fn three_digits(value: f64) -> f64 {
    let scale = 10f64.powi(2 - value.log10().floor() as i32);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_rung() {
        assert_eq!(Axis::Streams.load(48), Load::Streams(48));
        assert_eq!(Axis::Streams.rung(Load::Streams(48)), Some(48));
        assert_eq!(
            (Axis::Streams.at_most(31.9), Axis::Streams.at_least(31.1)),
            (31, 32)
        );
        assert_eq!(Axis::Streams.rung(Load::RatePerS(3.0)), None);
    }

    #[test]
    fn rates_rise_by_about_a_per_cent_and_are_found_again() {
        let mut before = 0.0;
        for rung in 1..1_500 {
            let rate = Axis::Rate.amount(rung);
            assert!(rate > before, "{rung}: {rate}");
            assert!(rung == 1 || rate / before < 1.02, "{rung}: {rate}");
            assert_eq!(Axis::Rate.rung(Load::RatePerS(rate)), Some(rung));
            assert_eq!(
                (Axis::Rate.at_most(rate), Axis::Rate.at_least(rate)),
                (rung, rung)
            );
            before = rate;
        }
        assert_eq!((Axis::Rate.amount(0), Axis::Rate.amount(1)), (0.0, 0.01));
        assert!(before > 20_000.0);
    }

    #[test]
    fn what_lies_between_two_rates_goes_to_either_side() {
        let (low, high) = (Axis::Rate.amount(700), Axis::Rate.amount(701));
        let middle = f64::midpoint(low, high);
        assert_eq!(
            (Axis::Rate.at_most(middle), Axis::Rate.at_least(middle)),
            (700, 701)
        );
    }
}
