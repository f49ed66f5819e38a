//! Numbers and JSON as Python's argument parser reads them.

use crate::bench::json::Json;

/// A whole number: sign, digits, single underscores between digits.
pub(super) fn int(text: &str) -> Option<i64> {
    without_underscores(text.trim())?.parse().ok()
}

/// A number: also `inf`, `nan`, exponents, and underscores between digits.
pub(crate) fn float(text: &str) -> Option<f64> {
    without_underscores(text.trim())?.parse().ok()
}

fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let well_placed = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .all(|(at, _)| digit(at.checked_sub(1)) && digit(Some(at + 1)));
    well_placed.then(|| text.replace('_', ""))
}

/// The value of a dotted key: JSON if it is, a size such as `1k` if it is, else the text itself.
pub(super) fn dotted_value(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|_| size(text).map_or_else(|| Json::from(text), Json::Int))
}

/// A human size: `1k` is 1000, `1K` 1024; only the decimal ones take a fraction.
fn size(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let digits = &text[..text.len() - unit.len_utf8()];
    let power = "kmgt".find(unit.to_ascii_lowercase())?;
    let power = u32::try_from(power).ok()? + 1;
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if unit.is_ascii_uppercase() {
        digits
            .parse::<i64>()
            .ok()?
            .checked_mul(1024_i64.checked_pow(power)?)
    } else {
        let value = digits.parse::<f64>().ok()? * 1000_f64.powi(i32::try_from(power).ok()?);
        (value < 9e18).then_some(value.round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        assert_eq!(int("1_000"), Some(1000));
        assert_eq!(int("-5"), Some(-5));
        for bad in ["", "1.0", "_1", "1_", "1__0", "x"] {
            assert_eq!(int(bad), None, "{bad}");
        }
        assert_eq!(float("inf"), Some(f64::INFINITY));
        assert_eq!(float("1e3"), Some(1000.0));
        assert_eq!(float("ten"), None);
    }

    #[test]
    fn dotted_values_are_json_sizes_or_text() {
        let table = [
            ("1", "1"),
            ("0.5", "0.5"),
            ("true", "true"),
            ("[1, 2]", "[1, 2]"),
            ("1k", "1000"),
            ("2K", "2048"),
            ("25.6k", "25600"),
            ("1M", "1048576"),
            ("1.5K", "\"1.5K\""),
            ("milk", "\"milk\""),
            ("k", "\"k\""),
        ];
        for (text, json) in table {
            assert_eq!(dotted_value(text).to_text(), json, "{text}");
        }
    }
}
