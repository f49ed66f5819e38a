//! What an argument's text means: times, shares, numbers, and names.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use plimsoll_core::capacity_plan::TokensPerRequest;
use plimsoll_core::judge::Confidence;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::quote::is_plain;
use plimsoll_core::search::Axis;
use plimsoll_core::typed::{ShareBounds, parse_span, parse_span_or_none};
use plimsoll_core::workload::NamedWorkload;

use crate::fault::ValueFault;

/// Language of what people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LangArg {
    /// By the environment.
    Auto,
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// What to search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    /// Concurrent streams.
    Streams,
    /// Arrivals per second.
    Rate,
}

impl ByArg {
    pub(crate) fn axis(self) -> Axis {
        match self {
            Self::Streams => Axis::Streams,
            Self::Rate => Axis::Rate,
        }
    }
}

/// An API by its name, or `auto`, which names none.
pub(super) fn endpoint() -> impl TypedValueParser<Value = Option<Protocol>> {
    let auto = PossibleValue::new("auto").help("The first of these that the server has");
    let named = Protocol::ALL.map(|one| PossibleValue::new(one.name()).help(one.path()));
    let values = std::iter::once(auto).chain(named);
    PossibleValuesParser::new(values).map(|name| Protocol::named(&name))
}

/// Shares of requests: less than a tenth of a percent is not asked for, and all cannot be shown.
const SHARES: ShareBounds = ShareBounds::new(0.001, 0.9999);
/// What lengths may vary by.
const SPREADS: ShareBounds = ShareBounds::new(0.0, 0.9);
/// A share of users.
const USERS: ShareBounds = ShareBounds::new(0.0001, 1.0);
/// A share of a cap: less than 1 % makes no sense.
const HEADROOMS: ShareBounds = ShareBounds::new(0.01, 1.0);
/// Confidences that the judge knows.
const CONFIDENCES: ShareBounds = ShareBounds::new(0.8, 0.999);

/// A confidence from 80% to 99.9%.
pub(super) fn confidence(text: &str) -> Result<Confidence, ValueFault> {
    let share = CONFIDENCES.parse(text)?;
    Confidence::new(share).ok_or_else(|| ValueFault::NotANumber(text.to_owned()))
}

/// A time such as `500ms`, `90s`, `1m30s`, `2h`, above 0.
pub(super) fn duration(text: &str) -> Result<Duration, ValueFault> {
    Ok(parse_span(text)?)
}

/// Time for a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// For all of it.
    Whole(Duration),
    /// More than a run of the past had: `+15m`.
    More(Duration),
}

impl Budget {
    /// As it was typed.
    pub(crate) fn time(self) -> Duration {
        match self {
            Self::Whole(time) | Self::More(time) => time,
        }
    }

    /// Time for all of a run that was to have `planned`, and has had `elapsed`.
    pub(crate) fn of_run(self, planned: Duration, elapsed: Duration) -> Duration {
        match self {
            Self::Whole(time) => time,
            Self::More(time) => planned.max(elapsed) + time,
        }
    }
}

/// A time, or with a plus sign before it how much more.
pub(super) fn budget(text: &str) -> Result<Budget, ValueFault> {
    match text.trim().strip_prefix('+') {
        Some(more) => duration(more).map(Budget::More),
        None => duration(text).map(Budget::Whole),
    }
}

/// A time, or 0 for none.
pub(super) fn think_time(text: &str) -> Result<Duration, ValueFault> {
    Ok(parse_span_or_none(text)?)
}

/// A share from 0.1 % to 99.99 %, as a ratio.
pub(super) fn percent(text: &str) -> Result<f64, ValueFault> {
    Ok(SHARES.parse(text)?)
}

/// A spread from 0 to 90 %, as a ratio.
pub(super) fn spread(text: &str) -> Result<f64, ValueFault> {
    Ok(SPREADS.parse(text)?)
}

/// A share of up to 100 %, as a ratio.
pub(super) fn percent_up_to_100(text: &str) -> Result<f64, ValueFault> {
    Ok(USERS.parse(text)?)
}

/// A ratio from 1 % to 100 %.
pub(super) fn ratio(text: &str) -> Result<f64, ValueFault> {
    Ok(HEADROOMS.parse(text)?)
}

/// A workload by its name.
pub(super) fn workload(text: &str) -> Result<NamedWorkload, ValueFault> {
    NamedWorkload::find(text).ok_or(ValueFault::Workload)
}

fn number(text: &str) -> Result<f64, ValueFault> {
    let number = text.trim().parse();
    number.map_err(|_| ValueFault::NotANumber(text.to_owned()))
}

fn number_within(text: &str, least: f64, most: f64) -> Result<f64, ValueFault> {
    let value = number(text)?;
    if value >= least && value <= most {
        Ok(value)
    } else {
        Err(ValueFault::OutOfBounds { least, most })
    }
}

/// A number above 0.
fn number_up_to(text: &str, most: f64) -> Result<f64, ValueFault> {
    let value = number(text)?;
    if value > 0.0 && value <= most {
        Ok(value)
    } else {
        Err(ValueFault::NotAbove0 { most })
    }
}

fn whole(text: &str, least: u32, most: u32) -> Result<u32, ValueFault> {
    let value: i128 = text
        .trim()
        .parse()
        .map_err(|_| ValueFault::NotWhole(text.to_owned()))?;
    let within = u32::try_from(value).ok();
    within
        .filter(|value| (least..=most).contains(value))
        .ok_or(ValueFault::OutOfBounds {
            least: f64::from(least),
            most: f64::from(most),
        })
}

/// A count of something, at least 1.
pub(super) fn count(text: &str) -> Result<u32, ValueFault> {
    whole(text, 1, u32::MAX)
}

/// Tokens of a prompt or an answer: more than any server takes, and few enough to be written.
pub(super) fn length(text: &str) -> Result<u32, ValueFault> {
    whole(text, 1, 10_000_000)
}

/// A name that is sent and shown.
pub(super) fn name(text: &str) -> Result<String, ValueFault> {
    if is_plain(text) && !text.is_empty() {
        Ok(text.to_owned())
    } else {
        Err(ValueFault::NoName)
    }
}

/// The path of what will be written.
pub(super) fn path(text: &str) -> Result<PathBuf, ValueFault> {
    let is_path = !text.is_empty() && !text.contains(char::is_control);
    is_path
        .then(|| PathBuf::from(text))
        .ok_or(ValueFault::NoPath)
}

/// Streams that one machine may hold.
pub(super) fn streams(text: &str) -> Result<u32, ValueFault> {
    whole(text, 1, 100_000)
}

/// How often a search is repeated.
pub(super) fn times(text: &str) -> Result<u32, ValueFault> {
    whole(text, 2, 99)
}

/// Threads.
pub(super) fn threads(text: &str) -> Result<u16, ValueFault> {
    whole(text, 1, 64).map(|count| count as u16)
}

/// Tokens of an answer that has a gap in it.
pub(super) fn answer_tokens(text: &str) -> Result<u32, ValueFault> {
    whole(text, 2, 4_096)
}

/// A number from 0.01 to a million.
pub(super) fn amount(text: &str) -> Result<f64, ValueFault> {
    number_within(text, 0.01, 1e6)
}

/// A number that JSON has.
pub(super) fn finite(text: &str) -> Result<f64, ValueFault> {
    let number = text.trim().parse::<f64>().ok();
    let number = number.filter(|number| number.is_finite());
    number.ok_or_else(|| ValueFault::NotANumber(text.to_owned()))
}

/// A number above 0, with `_` and `,` between its digits if one likes.
pub(super) fn quantity(text: &str) -> Result<f64, ValueFault> {
    let digits: String = text
        .chars()
        .filter(|one| !matches!(one, '_' | ','))
        .collect();
    number_up_to(&digits, 1e12)
}

/// A factor from 1 to 1000.
pub(super) fn at_least_one(text: &str) -> Result<f64, ValueFault> {
    number_within(text, 1.0, 1_000.0)
}

/// Tokens of a request: `512+128`, or their sum.
pub(super) fn tokens(text: &str) -> Result<TokensPerRequest, ValueFault> {
    let Some((input, output)) = text.split_once('+') else {
        return Ok(TokensPerRequest {
            total: quantity(text)?,
            output: None,
        });
    };
    let (input, output) = (quantity(input)?, quantity(output)?);
    Ok(TokensPerRequest {
        total: input + output,
        output: Some(output),
    })
}

/// Requests per second: one in a quarter of an hour at least.
pub(super) fn rate(text: &str) -> Result<f64, ValueFault> {
    number_within(text, 0.001, 1e6)
}

/// Shape of the gaps between arrivals; `inf` is allowed. Below a hundredth nearly all come at once.
pub(super) fn shape(text: &str) -> Result<f64, ValueFault> {
    number_within(text, 0.01, f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold() {
        assert!(percent("0%").is_err() && percent("100%").is_err());
        assert_eq!(spread("0"), Ok(0.0));
        assert_eq!(count("8"), Ok(8));
        for bad in ["0", "-1", "1.5", "x", "", "4294967296"] {
            assert!(count(bad).is_err(), "{bad}");
        }
        for tiny in ["1e-300", "0", "-1", ""] {
            assert!(rate(tiny).is_err() && shape(tiny).is_err(), "{tiny}");
        }
        assert!(length("4294967295").is_err() && length("131072").is_ok());
        assert!(shape("inf").is_ok() && shape("NaN").is_err() && rate("NaN").is_err());
        assert!(confidence("95%").is_ok() && confidence("0.95").is_ok());
        assert!(confidence("0.5").is_err() && confidence("95").is_err());
    }

    #[test]
    fn a_budget_is_for_all_or_for_more() {
        let min = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(budget("15m"), Ok(Budget::Whole(min(15))));
        assert_eq!(budget("+1m30s"), Ok(Budget::More(Duration::from_secs(90))));
        for bad in ["+", "++1m", "+0", "-5m", "+15", "99999999999h"] {
            assert!(budget(bad).is_err(), "{bad}");
        }
        let more = Budget::More(min(5));
        assert_eq!(
            more.of_run(min(15), min(16)),
            min(21),
            "it had a minute more"
        );
        assert_eq!(more.of_run(min(15), min(3)), min(20), "it ended early");
        assert_eq!(Budget::Whole(min(20)).of_run(min(15), min(16)), min(20));
    }

    #[test]
    fn tokens_are_a_sum_or_both() {
        let both = TokensPerRequest {
            total: 640.0,
            output: Some(128.0),
        };
        assert_eq!(tokens("512+128"), Ok(both));
        assert_eq!(tokens("1,640").unwrap().total.to_bits(), 1_640f64.to_bits());
        for bad in ["", "512+", "+1", "0", "x", "-5", "1+0"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_thought_is_a_think_time() {
        assert_eq!(think_time("0"), Ok(Duration::ZERO));
        assert_eq!(think_time("60s"), Ok(Duration::from_secs(60)));
        assert!(think_time("60").is_err() && at_least_one("0.5").is_err());
    }
}
