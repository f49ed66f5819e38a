//! What is put on the server: a number of streams, or a rate of arrivals; and the axis along which
//! such loads have an order and neighbours.

mod axis;
mod unit;

use std::fmt;

pub use axis::Axis;
pub use unit::LoadUnit;

use serde::{Deserialize, Serialize};

/// The load of a level.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Closed loop: so many streams, each of which waits for its answer before it asks again.
    Streams(u32),
    /// Open loop: so many arrivals per second, which wait for no answer.
    RatePerS(f64),
}

impl Load {
    /// The streams of a closed loop.
    pub fn streams(self) -> Option<u32> {
        match self {
            Self::Streams(streams) => Some(streams),
            Self::RatePerS(_) => None,
        }
    }

    /// The arrivals per second of an open loop.
    pub fn rate_per_s(self) -> Option<f64> {
        match self {
            Self::Streams(_) => None,
            Self::RatePerS(rate) => Some(rate),
        }
    }

    /// The axis that it lies on.
    pub fn axis(self) -> Axis {
        match self {
            Self::Streams(_) => Axis::Streams,
            Self::RatePerS(_) => Axis::Rate,
        }
    }

    /// The number alone, in streams or arrivals per second: for the axis of a picture. Loads of
    /// two kinds must not be compared by it.
    pub fn amount(self) -> f64 {
        match self {
            Self::Streams(streams) => f64::from(streams),
            Self::RatePerS(rate) => rate,
        }
    }
}

/// A number to be shown, without what binary fractions leave behind its ninth digit: 0.8 × 0.1 is
/// 0.08000000000000002.
pub fn without_dust(value: f64) -> f64 {
    // By the decimal digits themselves: a power of ten is no exact factor.
    format!("{value:.8e}").parse().unwrap_or(value)
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Streams(1) => f.write_str("1 stream"),
            Self::Streams(streams) => write!(f, "{streams} streams"),
            Self::RatePerS(rate) => write!(f, "{} req/s", without_dust(*rate)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shown_without_dust() {
        assert_eq!(Load::RatePerS(0.8 * 0.1).to_string(), "0.08 req/s");
        assert_eq!(Load::RatePerS(0.1 + 0.2).to_string(), "0.3 req/s");
        for whole in [1e-300, 0.5, 20.0, 16.4, 123_456.75, 1e6] {
            assert_eq!(without_dust(whole).to_bits(), whole.to_bits(), "{whole}");
        }
        assert!(without_dust(f64::MAX).is_finite());
        assert!(without_dust(f64::INFINITY).is_infinite());
    }

    #[test]
    fn a_load_is_either_streams_or_a_rate() {
        let (streams, rate) = (Load::Streams(48), Load::RatePerS(20.0));
        assert_eq!((streams.streams(), streams.rate_per_s()), (Some(48), None));
        assert_eq!((rate.streams(), rate.rate_per_s()), (None, Some(20.0)));
        assert_eq!((streams.amount(), rate.amount()), (48.0, 20.0));
    }

    #[test]
    fn a_load_reads_as_people_say_it() {
        let table = [
            (Load::Streams(1), "1 stream"),
            (Load::Streams(48), "48 streams"),
            (Load::RatePerS(20.0), "20 req/s"),
            (Load::RatePerS(0.5), "0.5 req/s"),
        ];
        for (load, text) in table {
            assert_eq!(load.to_string(), text);
        }
    }

    #[test]
    fn a_load_in_a_file_names_its_kind() {
        let json = |load| serde_json::to_string(&load).unwrap();
        assert_eq!(json(Load::Streams(48)), r#"{"streams":48}"#);
        assert_eq!(json(Load::RatePerS(20.0)), r#"{"rate_per_s":20.0}"#);
        let read: Load = serde_json::from_str(r#"{"rate_per_s":20}"#).unwrap();
        assert_eq!(read, Load::RatePerS(20.0));
    }
}
