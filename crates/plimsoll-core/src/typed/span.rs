//! Times: `500ms`, `90s`, `1m30s`, `2h 30m`, `1.5s`.

use std::time::Duration;

use thiserror::Error;

use super::narrow;

/// No time that is typed is longer, hours: a year.
pub const LONGEST_HOURS: u32 = 8_760;

/// Units with their length in seconds, in English and Chinese.
const UNITS: [(&str, f64); 20] = [
    ("us", 1e-6),
    ("µs", 1e-6),
    ("μs", 1e-6),
    ("微秒", 1e-6),
    ("ms", 1e-3),
    ("毫秒", 1e-3),
    ("s", 1.0),
    ("sec", 1.0),
    ("秒", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("分", 60.0),
    ("分钟", 60.0),
    ("h", 3_600.0),
    ("hour", 3_600.0),
    ("hours", 3_600.0),
    ("时", 3_600.0),
    ("小时", 3_600.0),
    ("d", 86_400.0),
    ("天", 86_400.0),
];

/// Why a text is no time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpanError {
    /// There is no number where one must be.
    #[error("`{0}` is no time; write one such as 500ms, 90s, 1m30s or 2h")]
    NotATime(String),
    /// A number stands alone.
    #[error("`{0}` has no unit: us, ms, s, m or h")]
    NoUnit(String),
    /// A unit that is none.
    #[error("`{0}` is no unit of time: us, ms, s, m or h")]
    UnknownUnit(String),
    /// `30s 1m`, or one unit twice.
    #[error("`{0}`: its units go from large to small, each once, such as 1m30s")]
    Order(String),
    /// Less than no time.
    #[error("`{0}` is below 0")]
    Negative(String),
    /// No time at all.
    #[error("`{0}` must be above 0")]
    Zero(String),
    /// More than anyone waits.
    #[error("`{0}` is too long: a year (8760h) is the most")]
    TooLong(String),
}

/// Reads a time above 0.
///
/// # Errors
/// It is none, 0, negative, or longer than [`LONGEST_HOURS`].
pub fn parse_span(text: &str) -> Result<Duration, SpanError> {
    match parse_span_or_none(text)? {
        Duration::ZERO => Err(SpanError::Zero(text.trim().to_owned())),
        span => Ok(span),
    }
}

/// Reads a time, which may be 0, also without a unit.
///
/// # Errors
/// It is none, negative, or longer than [`LONGEST_HOURS`].
pub fn parse_span_or_none(text: &str) -> Result<Duration, SpanError> {
    let typed = || text.trim().to_owned();
    let plain: String = narrow(text).split_whitespace().collect();
    if plain == "0" {
        return Ok(Duration::ZERO);
    }
    if plain.starts_with('-') {
        return Err(SpanError::Negative(typed()));
    }
    let (mut rest, mut seconds, mut before) = (plain.as_str(), 0.0, f64::INFINITY);
    while !rest.is_empty() {
        let (number, unit, behind) = first_part(rest);
        let count: f64 = number.parse().map_err(|_| SpanError::NotATime(typed()))?;
        let length = unit_length(unit, &typed)?;
        if length >= before {
            return Err(SpanError::Order(typed()));
        }
        (rest, seconds, before) = (behind, seconds + count * length, length);
    }
    if before.is_infinite() {
        return Err(SpanError::NotATime(typed()));
    }
    if seconds > f64::from(LONGEST_HOURS) * 3_600.0 {
        return Err(SpanError::TooLong(typed()));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// The number and the unit that a text begins with, and what is behind them.
fn first_part(text: &str) -> (&str, &str, &str) {
    let is_number = |one: char| one.is_ascii_digit() || one == '.';
    let split = |text: &str, end: &dyn Fn(char) -> bool| text.find(end).unwrap_or(text.len());
    let (number, rest) = text.split_at(split(text, &|one| !is_number(one)));
    let (unit, behind) = rest.split_at(split(rest, &is_number));
    (number, unit, behind)
}

fn unit_length(unit: &str, typed: &dyn Fn() -> String) -> Result<f64, SpanError> {
    if unit.is_empty() {
        return Err(SpanError::NoUnit(typed()));
    }
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    known
        .map(|(_, length)| *length)
        .ok_or_else(|| SpanError::UnknownUnit(unit.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let ms = Duration::from_millis;
        let table = [
            ("500ms", ms(500)),
            ("90s", ms(90_000)),
            ("1.5s", ms(1_500)),
            ("1m30s", ms(90_000)),
            ("2m 30s", ms(150_000)),
            ("1 h", ms(3_600_000)),
            ("2h30m", ms(9_000_000)),
            ("1min", ms(60_000)),
            ("250us", Duration::from_micros(250)),
            ("250µs", Duration::from_micros(250)),
            ("1S", ms(1_000)),
            ("1分30秒", ms(90_000)),
            ("２小时", ms(7_200_000)),
            ("8760h", Duration::from_secs(8_760 * 3_600)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_span(text), Ok(expected), "{text}");
        }
        assert_eq!(parse_span_or_none("0"), Ok(Duration::ZERO));
        assert_eq!(parse_span_or_none("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_time_says_why() {
        let table = [
            ("", "no time"),
            ("x", "no time"),
            ("NaN", "no time"),
            ("inf", "no time"),
            ("s", "no time"),
            ("1.2.3s", "no time"),
            ("5", "no unit"),
            ("1m30", "no unit"),
            ("5 parsecs", "`parsecs` is no unit"),
            ("1e3s", "`e` is no unit"),
            ("30s1m", "from large to small"),
            ("1s 1s", "from large to small"),
            ("-1s", "below 0"),
            ("0", "above 0"),
            ("0s", "above 0"),
            ("8761h", "8760h"),
            ("99999999999h", "8760h"),
        ];
        for (text, expected) in table {
            let error = parse_span(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
