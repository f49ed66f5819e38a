//! Reads `ttft p95 <= 1s, success >= 99%`. Spaces are free, `≤ ≥ < >` and a colon between metric
//! and statistic are understood, and a typo is answered with the nearest valid word.

use std::str::FromStr;

use thiserror::Error;

use super::{Metric, Objective, Op, Slo, Stat};

const METRICS: [(&str, Metric); 7] = [
    ("ttft", Metric::Ttft),
    ("tpot", Metric::Tpot),
    ("itl", Metric::Itl),
    ("e2e", Metric::E2e),
    ("speed", Metric::Speed),
    ("success", Metric::Success),
    ("goodput", Metric::Goodput),
];

/// No bound in ms or tokens/s is larger: 30 years.
const LARGEST_BOUND: f64 = 1e12;

/// Why an objective cannot be read, with the way out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("objective `{text}`: {fault}; write it as `metric stat <= bound`, for example `{example}`")]
pub struct SloError {
    text: String,
    fault: String,
    example: &'static str,
}

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        text.split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Slo)
    }
}

impl FromStr for Objective {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        parse(text.trim()).map_err(|(fault, example)| SloError {
            text: text.trim().to_owned(),
            fault,
            example,
        })
    }
}

type Fault = (String, &'static str);

const LATENCY_EXAMPLE: &str = "ttft p95 <= 1s";

fn parse(text: &str) -> Result<Objective, Fault> {
    let plain = text
        .replace('≤', "<=")
        .replace('≥', ">=")
        .to_ascii_lowercase();
    let at = plain
        .find(['<', '>'])
        .ok_or_else(|| ("it has no `<=` or `>=`".to_owned(), LATENCY_EXAMPLE))?;
    let (left, right) = plain.split_at(at);
    let op = if right.starts_with('<') {
        Op::AtMost
    } else {
        Op::AtLeast
    };
    let bound = right[1..].trim_start_matches('=').trim();
    let mut words = left
        .split(|c: char| c.is_whitespace() || c == ':')
        .filter(|word| !word.is_empty());
    let metric = metric(words.next().unwrap_or_default())?;
    let stat_word = words.next();
    if let Some(extra) = words.next() {
        return Err((format!("`{extra}` is one word too many"), example(metric)));
    }
    let stat = stat(metric, stat_word)?;
    if op != natural_op(metric) {
        let (wrong, right) = if op == Op::AtMost {
            ("<=", ">=")
        } else {
            (">=", "<=")
        };
        return Err((
            format!("`{metric}` is bounded by `{right}`, not `{wrong}`"),
            example(metric),
        ));
    }
    Ok(Objective {
        metric,
        stat,
        op,
        bound: parse_bound(metric, bound)?,
    })
}

fn example(metric: Metric) -> &'static str {
    match metric {
        Metric::Speed => "speed p5 >= 20 tok/s",
        Metric::Success => "success >= 99%",
        Metric::Goodput => "goodput >= 95%",
        _ => LATENCY_EXAMPLE,
    }
}

fn natural_op(metric: Metric) -> Op {
    match metric {
        Metric::Speed | Metric::Success | Metric::Goodput => Op::AtLeast,
        _ => Op::AtMost,
    }
}

fn metric(word: &str) -> Result<Metric, Fault> {
    if let Some((_, metric)) = METRICS.iter().find(|(name, _)| *name == word) {
        return Ok(*metric);
    }
    let nearest = nearest(word, METRICS.iter().map(|(name, _)| *name));
    let all: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
    Err((
        format!(
            "there is no metric `{word}`, did you mean `{nearest}`? (metrics: {})",
            all.join(", ")
        ),
        LATENCY_EXAMPLE,
    ))
}

fn nearest<'a>(word: &str, valid: impl Iterator<Item = &'a str>) -> &'a str {
    valid
        .max_by(|a, b| strsim::jaro_winkler(word, a).total_cmp(&strsim::jaro_winkler(word, b)))
        .unwrap_or("")
}

fn stat(metric: Metric, word: Option<&str>) -> Result<Stat, Fault> {
    let is_share = matches!(metric, Metric::Success | Metric::Goodput);
    match word {
        None | Some("ratio") if is_share => Ok(Stat::Ratio),
        Some(word) if is_share => Err((
            format!("`{metric}` is a share and has no `{word}`"),
            example(metric),
        )),
        None => Err((
            format!("`{metric}` needs a statistic: mean, p50, p95, p99"),
            example(metric),
        )),
        Some("mean" | "avg" | "average") => Ok(Stat::Mean),
        Some("median") => Ok(Stat::Quantile(0.5)),
        Some(word) => quantile(word).ok_or_else(|| {
            let nearest = nearest(
                word,
                ["mean", "median", "p50", "p90", "p95", "p99"].into_iter(),
            );
            let fault = format!("there is no statistic `{word}`, did you mean `{nearest}`?");
            (fault, example(metric))
        }),
    }
}

fn quantile(word: &str) -> Option<Stat> {
    let percent: f64 = word.strip_prefix('p')?.parse().ok()?;
    (percent > 0.0 && percent < 100.0).then_some(Stat::Quantile(percent / 100.0))
}

fn parse_bound(metric: Metric, text: &str) -> Result<f64, Fault> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim();
    let value: f64 = number.parse().map_err(|_| {
        (
            format!("`{text}` is not a number with a unit"),
            example(metric),
        )
    })?;
    let bad_unit = |valid: &str| {
        let what = if unit.is_empty() {
            "a unit is missing".to_owned()
        } else {
            format!("unit `{unit}` does not fit")
        };
        (format!("{what}: `{metric}` takes {valid}"), example(metric))
    };
    let value = match metric {
        Metric::Success | Metric::Goodput => match unit {
            // Rounded, so that 99.9 % and 0.999 are one bound.
            "%" => (value * 1e7).round() / 1e9,
            "" if value <= 1.0 => value,
            _ => return Err(bad_unit("a percentage such as 99% or a ratio such as 0.99")),
        },
        Metric::Speed => match unit {
            "" | "tok/s" | "token/s" | "tokens/s" | "t/s" => value,
            _ => return Err(bad_unit("tok/s")),
        },
        _ => match unit {
            "us" | "µs" => value / 1e3,
            "ms" => value,
            "s" => value * 1e3,
            "min" => value * 6e4,
            _ => return Err(bad_unit("us, ms, s or min")),
        },
    };
    let is_share = matches!(metric, Metric::Success | Metric::Goodput);
    if value <= 0.0 || value > LARGEST_BOUND || (is_share && value >= 1.0) {
        let range = if is_share {
            "above 0 and below 100 %"
        } else {
            "above 0 and below 30 years"
        };
        return Err((
            format!("the bound must be {range}, got `{text}`"),
            example(metric),
        ));
    }
    Ok(value)
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
    }

    #[test]
    fn faults_name_the_thing_and_the_way_out() {
        let table = [
            ("tftt p95 <= 1s", "did you mean `ttft`"),
            ("ttft p95 1s", "no `<=` or `>=`"),
            ("ttft <= 1s", "needs a statistic"),
            ("ttft p950 <= 1s", "no statistic `p950`"),
            ("ttft mittel <= 1s", "did you mean `me"),
            ("ttft p95 <= 1", "a unit is missing"),
            ("ttft p95 <= 1h", "unit `h` does not fit"),
            ("ttft p95 <= fast", "not a number"),
            ("ttft p95 <= 0s", "above 0"),
            ("ttft p95 >= 1s", "bounded by `<=`"),
            ("success <= 99%", "bounded by `>=`"),
            ("success p95 >= 99%", "is a share"),
            ("success >= 100%", "below 100 %"),
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
