//! Numbers as people read them.

use plimsoll_core::run::Run;
use plimsoll_core::slo::Metric;

use crate::lang::Lang;

/// What stands for a missing value.
pub(crate) const MISSING: &str = "–";

/// A measured value for a sentence, with about two digits: 0.012, 0.31, 8.1, 48.6, 3900.
pub(crate) fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size < 0.0995 => 3,
        size if size < 0.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

/// A value of the table, with three digits: 0.012, 0.31, 8.14, 48.6, 3900.
pub(crate) fn cell(value: f64) -> String {
    match value.abs() {
        size if (0.995..9.995).contains(&size) => format!("{value:.2}"),
        _ => figure(value),
    }
}

/// A share as a percentage without its sign, rounded down so that 99.97 never reads 100.
pub(crate) fn percent_down(ratio: f64) -> String {
    trimmed((ratio * 1_000.0 + 1e-6).floor() / 10.0)
}

/// A share as a percentage without its sign, rounded up so that what can happen never reads 0.
pub(crate) fn percent_up(ratio: f64) -> String {
    // Nothing at all would be −0.
    trimmed((ratio * 1_000.0 - 1e-6).ceil() / 10.0 + 0.0)
}

/// A change as a percentage with its sign: `+0.9`, `−3`, `+120`.
pub(crate) fn signed_percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    let size = match percent.abs() {
        size if size < 9.95 => format!("{size:.1}"),
        size => format!("{size:.0}"),
    };
    format!("{}{size}", if percent < 0.0 { "−" } else { "+" })
}

/// A share as a whole percentage without its sign.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{:.0}", ratio * 100.0)
}

/// At most one decimal, and none where it is 0.
pub(crate) fn trimmed(value: f64) -> String {
    format!("{}", (value * 10.0).round() / 10.0)
}

/// A computed value for a formula, with four digits: 4.051, 58.17, 2,750, 74.66 million, 7466 万.
pub(crate) fn amount(value: f64, lang: Lang) -> String {
    let (scaled, unit) = match (lang, value.abs()) {
        (Lang::En, size) if size >= 1e9 => (value / 1e9, " billion"),
        (Lang::En, size) if size >= 1e6 => (value / 1e6, " million"),
        (Lang::Zh, size) if size >= 1e8 => (value / 1e8, " 亿"),
        (Lang::Zh, size) if size >= 1e5 => (value / 1e4, " 万"),
        _ => (value, ""),
    };
    if scaled.abs() >= 1e3 {
        return format!("{}{unit}", in_thousands(scaled));
    }
    let digits = if scaled.abs() < 1e-9 {
        0
    } else {
        (3 - scaled.abs().log10().floor() as i32).clamp(0, 6) as usize
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    format!("{text}{unit}")
}

/// A whole number with its thousands apart: `1,009`.
pub(crate) fn in_thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value of a metric with its unit, as exact as a cell of the table: `1.02 s`, `48.6 ms`, `21 tok/s`.
pub(crate) fn metric_value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Success | Metric::Goodput => format!("{} %", percent_down(value)),
        Metric::Speed => format!("{} tok/s", cell(value)),
        Metric::Ttft | Metric::Tpot | Metric::Itl | Metric::E2e if value >= 1e3 => {
            format!("{} s", cell(value / 1e3))
        }
        Metric::Ttft | Metric::Tpot | Metric::Itl | Metric::E2e => format!("{} ms", cell(value)),
    }
}

/// The English word for so many: `request` of 1, `requests` of any other number.
pub(crate) fn plural(count: u64, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

/// So many of something, in English: `1 request`, `2 requests`.
pub(crate) fn so_many(count: u64, word: &str) -> String {
    format!("{count} {}", plural(count, word))
}

/// A length of time: `42 s`, `9 min 41 s`, `1 h 12 min`.
pub fn duration(seconds: f64, lang: Lang) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60);
    let (h, min, s) = lang.pick((" h", " min", " s"), (" 小时", " 分", " 秒"));
    match (hours, minutes, rest) {
        (0, 0, _) => format!("{rest}{s}"),
        (0, _, 0) => format!("{minutes}{}", lang.pick(" min", " 分钟")),
        (0, ..) => format!("{minutes}{min} {rest}{s}"),
        (_, 0, _) => format!("{hours}{h}"),
        _ => format!("{hours}{h} {minutes}{min}"),
    }
}

/// The least growth of throughput per doubling that a search asks for, percent.
pub(crate) fn least_growth(run: &Run) -> String {
    let search = run.plan.search();
    search.map_or_else(
        || MISSING.to_owned(),
        |search| percent(search.rules.least_growth),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_two_or_three_digits() {
        for (value, text) in [
            (0.0123, "0.012"),
            (0.314, "0.31"),
            (0.998, "1.0"),
            (8.14, "8.1"),
            (99.96, "100"),
            (3_899.6, "3900"),
        ] {
            assert_eq!(figure(value), text);
        }
        assert_eq!(cell(8.14), "8.14");
        assert_eq!(cell(9.996), "10.0");
        assert_eq!(cell(0.314), "0.31");
    }

    #[test]
    fn amounts_keep_four_digits_and_name_their_size() {
        for (value, en, zh) in [
            (0.0, "0", "0"),
            (0.012_345, "0.01235", "0.01235"),
            (4.050_63, "4.051", "4.051"),
            (60.0, "60", "60"),
            (275.03, "275", "275"),
            (2_750.4, "2,750", "2,750"),
            (116_658.2, "116,658", "11.67 万"),
            (74_661_265.8, "74.66 million", "7,466 万"),
            (1.25e9, "1.25 billion", "12.5 亿"),
        ] {
            assert_eq!(amount(value, Lang::En), en);
            assert_eq!(amount(value, Lang::Zh), zh);
        }
    }

    #[test]
    fn a_share_below_one_never_reads_100() {
        assert_eq!(percent_down(1.0), "100");
        assert_eq!(percent_down(0.9997), "99.9");
        assert_eq!(percent_down(0.99), "99");
        assert_eq!(percent_down(0.0), "0");
    }

    #[test]
    fn times_name_their_two_largest_units() {
        assert_eq!(duration(41.6, Lang::En), "42 s");
        assert_eq!(duration(581.0, Lang::En), "9 min 41 s");
        assert_eq!(duration(900.0, Lang::Zh), "15 分钟");
        assert_eq!(duration(4_320.0, Lang::Zh), "1 小时 12 分");
    }
}
