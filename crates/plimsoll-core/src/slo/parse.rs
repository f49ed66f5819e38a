//! Reads `ttft p95 <= 1s, success >= 99%`, and `首 token 时延 p95 ≤ 1 秒，成功率 ≥ 99%`. Spaces are free,
//! `≤ ≥ < >`, full-width characters and a colon between metric and statistic are understood, and a
//! typo is answered with the nearest valid word and its place in the text.

use std::str::FromStr;

use super::fault::{SloError, SloFault};
use super::names::{self, Name};
use super::{Metric, Objective, Op, Slo, Stat};
use crate::typed::{ShareBounds, half_width, parse_span};

/// No pace in tokens/s is larger.
const LARGEST_PACE: f64 = 1e12;
/// Shares that can be asked for: below 1 % nobody does, and 100 % cannot be shown.
const SHARES: ShareBounds = ShareBounds::new(0.01, 0.999_999);

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        let plain: Vec<char> = plain(text);
        let mut start = 0;
        let mut objectives = Vec::new();
        for part in plain.split(|one| *one == ',') {
            objectives.push(read(part).map_err(|found| found.within(text, start))?);
            start += part.len() + 1;
        }
        Ok(Self(objectives))
    }
}

impl FromStr for Objective {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        read(&plain(text)).map_err(|found| found.within(text, 0))
    }
}

/// Lower case and half width, character for character, so that places stay.
fn plain(text: &str) -> Vec<char> {
    text.chars()
        .map(|one| match half_width(one) {
            ';' => ',',
            other => other.to_ascii_lowercase(),
        })
        .collect()
}

/// A fault, and where it is in its objective.
struct Found {
    fault: SloFault,
    at: usize,
}

impl Found {
    fn within(self, text: &str, start: usize) -> SloError {
        SloError {
            text: text.trim().to_owned(),
            place: start + self.at + 1 - leading_spaces(text).min(start + self.at),
            fault: self.fault,
        }
    }
}

fn leading_spaces(text: &str) -> usize {
    text.chars().take_while(|one| one.is_whitespace()).count()
}

/// A word of the text, and where it begins.
struct Word {
    text: String,
    at: usize,
}

fn read(plain: &[char]) -> Result<Objective, Found> {
    let begin = plain.iter().take_while(|one| one.is_whitespace()).count();
    let is_operator = |one: &char| matches!(one, '<' | '>' | '≤' | '≥');
    let Some(at) = plain.iter().position(is_operator) else {
        return Err(Found {
            fault: SloFault::NoOperator,
            at: begin,
        });
    };
    let op = match plain[at] {
        '<' | '≤' => Op::AtMost,
        _ => Op::AtLeast,
    };
    let (metric, stat) = left(&plain[..at], begin)?;
    if op != metric.natural_op() {
        let fault = SloFault::WrongWay { metric, op };
        return Err(Found { fault, at });
    }
    let behind = plain[at + 1..].iter();
    let equals = behind.take_while(|one| **one == '=').count();
    let bound = word(plain, at + 1 + equals);
    Ok(Objective {
        metric,
        stat,
        op,
        bound: read_bound(metric, &bound.text).map_err(|fault| Found {
            fault,
            at: bound.at,
        })?,
    })
}

/// What stands from a place on, without space and a full stop at its end.
fn word(plain: &[char], from: usize) -> Word {
    let spaces = plain[from..].iter().take_while(|one| one.is_whitespace());
    let at = from + spaces.count();
    let text: String = plain[at..].iter().collect();
    Word {
        text: text.trim_end_matches(['.', ' ']).to_owned(),
        at,
    }
}

/// Metric and statistic, left of the operator.
fn left(plain: &[char], begin: usize) -> Result<(Metric, Stat), Found> {
    let (mean_first, from) = names::leading_mean(plain, begin);
    let Some(Name { metric, end }) = names::metric(plain, from) else {
        let word = words(plain, from).into_iter().next();
        let text = word.map(|word| word.text).unwrap_or_default();
        let fault = SloFault::unknown_metric(text);
        return Err(Found { fault, at: from });
    };
    let mut rest = words(plain, end).into_iter();
    let stat_word = rest.next();
    if let Some(extra) = rest.next() {
        return Err(Found {
            fault: SloFault::ExtraWord {
                metric,
                word: extra.text,
            },
            at: extra.at,
        });
    }
    let at = stat_word.as_ref().map_or(from, |word| word.at);
    let stat = match (stat_word, mean_first) {
        (None, true) if !metric.is_share() => Ok(Stat::Mean),
        (word, _) => stat(metric, word.map(|word| word.text).as_deref()),
    };
    Ok((metric, stat.map_err(|fault| Found { fault, at })?))
}

/// The words from a place on; a colon and `的` part them as a space does.
fn words(plain: &[char], from: usize) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, one) in plain.iter().enumerate().skip(from) {
        if one.is_whitespace() || matches!(one, ':' | '的') {
            open = false;
            continue;
        }
        match words.last_mut() {
            Some(word) if open => word.text.push(*one),
            _ => words.push(Word {
                text: one.to_string(),
                at,
            }),
        }
        open = true;
    }
    words
}

fn stat(metric: Metric, word: Option<&str>) -> Result<Stat, SloFault> {
    match word {
        None | Some("ratio") if metric.is_share() => Ok(Stat::Ratio),
        Some(word) if metric.is_share() => Err(SloFault::ShareHasNone {
            metric,
            word: word.to_owned(),
        }),
        None => Err(SloFault::NoStatistic { metric }),
        Some(word) if names::MEAN.contains(&word) => Ok(Stat::Mean),
        Some(word) if names::MEDIAN.contains(&word) => Ok(Stat::Quantile(0.5)),
        Some(word) => quantile(word).ok_or_else(|| SloFault::unknown_stat(metric, word.to_owned())),
    }
}

/// `p95`, `95分位`, `p95分位`.
fn quantile(word: &str) -> Option<Stat> {
    let chinese = word.trim_end_matches('数').strip_suffix("分位");
    let number = match (word.strip_prefix('p'), chinese) {
        (_, Some(number)) => number.trim_start_matches('p').trim_end_matches('%'),
        (Some(number), None) => number,
        (None, None) => return None,
    };
    let percent: f64 = number.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(Stat::Quantile(percent / 100.0))
}

/// The bound of a metric: a share, tokens/s, or a time in ms.
fn read_bound(metric: Metric, text: &str) -> Result<f64, SloFault> {
    if metric.is_share() {
        return SHARES.parse(text).map_err(SloFault::Share);
    }
    if metric != Metric::Speed {
        let span = parse_span(text).map_err(SloFault::Span)?;
        return Ok(span.as_nanos() as f64 / 1e6);
    }
    let split = text
        .find(|one: char| !one.is_ascii_digit() && one != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let fault = || SloFault::Pace(text.to_owned());
    let pace: f64 = number.parse().map_err(|_| fault())?;
    let is_pace = names::PACES.contains(&unit.trim()) && pace > 0.0 && pace <= LARGEST_PACE;
    if is_pace { Ok(pace) } else { Err(fault()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_people_write_are_read() {
        let table = [
            ("ttft p95 <= 1s", "ttft p95 ≤ 1 s"),
            ("TTFT p95<=1500ms", "ttft p95 ≤ 1.5 s"),
            ("ttft:p99 ≤ 800 ms", "ttft p99 ≤ 800 ms"),
            ("tpot mean < 50ms", "tpot mean ≤ 50 ms"),
            ("itl p99.9 <= 200ms", "itl p99.9 ≤ 200 ms"),
            ("speed p5 >= 20 tok/s", "speed p5 ≥ 20 tok/s"),
            ("speed p5>=20", "speed p5 ≥ 20 tok/s"),
            ("success >= 99%", "success ≥ 99 %"),
            ("success >= 0.999", "success ≥ 99.9 %"),
            ("goodput >= 95%", "goodput ≥ 95 %"),
            ("e2e median <= 2min", "e2e p50 ≤ 120 s"),
            ("e2e p95 <= 1m30s", "e2e p95 ≤ 90 s"),
            ("成功率 >= 99%", "success ≥ 99 %"),
            ("成功率≥９９％。", "success ≥ 99 %"),
            ("成功率 》= 99。5%", "success ≥ 99.5 %"),
            ("达标率 ≥ 0.95", "goodput ≥ 95 %"),
            ("达标请求占比 >= 95%", "goodput ≥ 95 %"),
            ("单路速度 p5 >= 20", "speed p5 ≥ 20 tok/s"),
            ("单路速度的 p5 >= 20 token/秒", "speed p5 ≥ 20 tok/s"),
            ("首 token 时延 p95 《= 1.5 秒", "ttft p95 ≤ 1.5 s"),
            ("首token p95分位 ≤ 800毫秒", "ttft p95 ≤ 800 ms"),
            ("首字时延：均值 <= 1s", "ttft mean ≤ 1 s"),
            ("平均首字时延 <= 1s", "ttft mean ≤ 1 s"),
            ("ttft 均值 ≤ 1 s", "ttft mean ≤ 1 s"),
            ("TPOT 中位数 ≤ 50ms", "tpot p50 ≤ 50 ms"),
            ("请求时延 95分位 <= 30s", "e2e p95 ≤ 30 s"),
        ];
        for (text, shown) in table {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.to_string(), shown);
            assert_eq!(
                shown.parse::<Objective>().unwrap(),
                objective,
                "{shown} reads back"
            );
        }
    }

    #[test]
    fn a_conjunction_is_split_at_commas() {
        let slo: Slo = "ttft p95 <= 1s, tpot p95 <= 50ms".parse().unwrap();
        assert_eq!(slo.to_string(), "ttft p95 ≤ 1 s, tpot p95 ≤ 50 ms");
        let slo: Slo = "首 token p95 ≤ 1s，tpot p95 ≤ 50ms；成功率 ≥ 99%。"
            .parse()
            .unwrap();
        assert_eq!(
            slo.to_string(),
            "ttft p95 ≤ 1 s, tpot p95 ≤ 50 ms, success ≥ 99 %"
        );
    }

    /// The place counts characters from 1.
    #[test]
    fn faults_name_their_place() {
        for (text, place) in [
            ("tftt p95 <= 1s", 1),
            ("  tftt p95 <= 1s", 1),
            ("ttft p95 <= 1", 13),
            ("ttft p95 <= 1s, tpot p950 <= 50ms", 22),
            ("成功率 ≥ 99%，首字时延 p95 ≤ 快", 22),
            ("ttft p95 x <= 1s", 10),
            ("ttft p95 >= 1s", 10),
        ] {
            let error = text.parse::<Slo>().unwrap_err();
            assert_eq!(error.place, place, "{text}: {error}");
        }
    }

    #[test]
    fn faults_name_the_thing_and_the_way_out() {
        let table = [
            ("tftt p95 <= 1s", "did you mean `ttft`"),
            ("ttft p95 1s", "no `<=` or `>=`"),
            ("ttft <= 1s", "needs a statistic"),
            ("ttft p950 <= 1s", "no statistic `p950`"),
            ("ttft mittel <= 1s", "did you mean `me"),
            ("ttft p95 <= 1", "`1` has no unit"),
            ("ttft p95 <= 1x", "`x` is no unit"),
            ("ttft p95 <= fast", "no time"),
            ("ttft p95 <= 99999999999h", "8760h"),
            ("success >= 99", "write 99%"),
            ("success >= 1", "1% or 100%"),
            ("speed p5 >= 20ms", "is no pace"),
            ("speed p5 >= -1", "is no pace"),
            ("ttft p95 <= 0s", "above 0"),
            ("ttft p95 >= 1s", "bounded by `<=`"),
            ("success <= 99%", "bounded by `>=`"),
            ("success p95 >= 99%", "is a share"),
            ("success >= 100%", "to 99.9999%"),
            ("ttft p95 first <= 1s", "one word too many"),
            ("", "no `<=` or `>=`"),
        ];
        for (text, expected) in table {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn allowed_shares_follow_the_direction() {
        for (text, share) in [
            ("ttft p95 <= 1s", Some(0.05)),
            ("speed p5 >= 20", Some(0.05)),
            ("success >= 99%", Some(0.01)),
            ("ttft mean <= 1s", None),
        ] {
            let found = text.parse::<Objective>().unwrap().allowed_share();
            assert_eq!(
                found.map(|share| (share * 1e9).round()),
                share.map(|share: f64| (share * 1e9).round())
            );
        }
    }

    #[test]
    fn a_mean_gets_its_success_objective() {
        let slo: Slo = "ttft mean <= 1s".parse().unwrap();
        assert_eq!(
            slo.with_success_beside_means(0.95).to_string(),
            "ttft mean ≤ 1 s, success ≥ 95 %"
        );
        let slo: Slo = "ttft p95 <= 1s".parse().unwrap();
        assert_eq!(slo.with_success_beside_means(0.95).0.len(), 1);
    }
}
