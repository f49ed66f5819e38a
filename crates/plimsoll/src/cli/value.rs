//! What an argument's text means: times, shares, numbers, and names.

use std::time::Duration;

use clap::ValueEnum;
use plimsoll_core::capacity_plan::TokensPerRequest;
use plimsoll_core::judge::Confidence;
use plimsoll_core::search::Axis;
use plimsoll_core::workload::NamedWorkload;

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

/// API to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EndpointArg {
    /// Completions if the server has it, else chat.
    Auto,
    /// /v1/completions.
    Completions,
    /// /v1/chat/completions.
    Chat,
}

/// A confidence between 0.8 and 0.999.
pub(super) fn confidence(text: &str) -> Result<Confidence, String> {
    let number: Option<f64> = text.parse().ok();
    number
        .and_then(Confidence::new)
        .ok_or_else(|| "write a share from 0.8 to 0.999, such as 0.95".to_owned())
}

/// A span such as `500ms`, `30s`, `15m`, `2h`, above 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let value: f64 = number
        .parse()
        .map_err(|_| "write a time such as 500ms, 30s or 15m".to_owned())?;
    let seconds = match unit {
        "ms" => value / 1e3,
        "s" => value,
        "m" | "min" => value * 60.0,
        "h" => value * 3_600.0,
        _ => return Err("a time needs a unit: ms, s, m or h".to_owned()),
    };
    if seconds > 0.0 && seconds < 1e9 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("the time must be above 0".to_owned())
    }
}

fn number_within(text: &str, low: f64, high: f64) -> Result<f64, String> {
    let value: f64 = text
        .trim_end_matches('%')
        .parse()
        .map_err(|_| "not a number".to_owned())?;
    if value >= low && value <= high {
        Ok(value)
    } else {
        Err(format!("must be from {low} to {high}"))
    }
}

/// A share from 0.1 to 99.99 %, as a ratio.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    number_within(text, 0.1, 99.99).map(|value| value / 100.0)
}

/// A workload by its name.
pub(super) fn workload(text: &str) -> Result<NamedWorkload, String> {
    NamedWorkload::find(text).ok_or_else(|| {
        let names: Vec<&str> = NamedWorkload::all().iter().map(|one| one.name).collect();
        format!(
            "there is none of this name; there are: {}",
            names.join(", ")
        )
    })
}

/// A spread from 0 to 90 %, as a ratio.
pub(super) fn spread(text: &str) -> Result<f64, String> {
    number_within(text, 0.0, 90.0).map(|value| value / 100.0)
}

/// A share of up to 100 %, as a ratio.
pub(super) fn percent_up_to_100(text: &str) -> Result<f64, String> {
    number_within(text, 0.01, 100.0).map(|value| value / 100.0)
}

/// A number from 0.01 to a million.
pub(super) fn amount(text: &str) -> Result<f64, String> {
    number_within(text, 0.01, 1e6)
}

/// A ratio from 0.01 to 1.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    number_within(text, 0.01, 1.0)
}

/// A time, or 0 for none.
pub(super) fn think_time(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") {
        return Ok(Duration::ZERO);
    }
    duration(text)
}

/// A number above 0, with `_` and `,` between its digits if one likes.
pub(super) fn quantity(text: &str) -> Result<f64, String> {
    let digits: String = text
        .chars()
        .filter(|one| !matches!(one, '_' | ','))
        .collect();
    match digits.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= 1e12 => Ok(value),
        Ok(_) => Err("must be above 0, and 1e12 at most".to_owned()),
        Err(_) => Err("not a number".to_owned()),
    }
}

/// A factor from 1 to 1000.
pub(super) fn at_least_one(text: &str) -> Result<f64, String> {
    let value = quantity(text)?;
    if (1.0..=1_000.0).contains(&value) {
        Ok(value)
    } else {
        Err("must be from 1 to 1000".to_owned())
    }
}

/// Tokens of a request: `512+128`, or their sum.
pub(super) fn tokens(text: &str) -> Result<TokensPerRequest, String> {
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

/// Requests per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if rate > 0.0 && rate <= 1e6 {
        Ok(rate)
    } else {
        Err("must be above 0, and at most 1000000".to_owned())
    }
}

/// Shape of the gaps between arrivals; `inf` is allowed.
pub(super) fn shape(text: &str) -> Result<f64, String> {
    let shape: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if shape > 0.0 {
        Ok(shape)
    } else {
        Err("must be above 0".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1_500)));
        for bad in ["5", "x", "0s", "-1s", "1d", ""] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn percentages_become_ratios() {
        assert_eq!(percent("20%"), Ok(0.2));
        assert!(percent("0").is_err() && percent("100").is_err());
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
