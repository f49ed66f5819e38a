//! Which latencies are reported, at which percentiles, and which bounds make a request a good one.

use super::args::{Parsed, float};
use super::failure::{BenchFault, Failure};
use super::json::python_float;

/// A latency of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    /// Time to first token.
    Ttft,
    /// Time per output token after the first.
    Tpot,
    /// Gaps between events.
    Itl,
    /// End-to-end latency.
    E2el,
    /// Wait for a free slot in the client.
    ClientQueue,
    /// End-to-end latency with that wait.
    E2elWithQueue,
}

impl Metric {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 6] = [
        Self::Ttft,
        Self::Tpot,
        Self::Itl,
        Self::E2el,
        Self::ClientQueue,
        Self::E2elWithQueue,
    ];

    /// The name on the command line and in the result's keys.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::Tpot => "tpot",
            Self::Itl => "itl",
            Self::E2el => "e2el",
            Self::ClientQueue => "client_queue_time",
            Self::E2elWithQueue => "e2el_including_client_queue",
        }
    }

    /// The name in a row of the block.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Ttft => "TTFT",
            Self::Tpot => "TPOT",
            Self::Itl => "ITL",
            Self::E2el => "E2EL",
            Self::ClientQueue => "Client Queue Time",
            Self::E2elWithQueue => "E2EL incl. Client Queue",
        }
    }

    /// The title of its section.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Ttft => "Time to First Token",
            Self::Tpot => "Time per Output Token (excl. 1st token)",
            Self::Itl => "Inter-token Latency",
            Self::E2el => "End-to-end Latency",
            Self::ClientQueue => "Client-side Queueing",
            Self::E2elWithQueue => "Queue-inclusive End-to-end Latency",
        }
    }
}

/// Bounds that a good request keeps, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the unit is part of a name")]
pub(crate) struct Goodput {
    /// Largest time to first token.
    pub(crate) ttft_ms: Option<f64>,
    /// Largest time per output token.
    pub(crate) tpot_ms: Option<f64>,
    /// Largest end-to-end latency.
    pub(crate) e2el_ms: Option<f64>,
}

/// What is reported.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reported {
    /// Latencies, in the order of the report.
    pub(crate) metrics: Vec<Metric>,
    /// Percentiles, in the order given.
    pub(crate) percentiles: Vec<f64>,
    /// Bounds of the goodput.
    pub(crate) goodput: Option<Goodput>,
}

impl Reported {
    /// Reads `--percentile-metrics`, `--metric-percentiles` and `--goodput`. The two queue
    /// metrics need a cap, the second also a finite rate: elsewhere they are left out, as in vLLM.
    pub(crate) fn read(parsed: &Parsed, capped: bool, finite: bool) -> Result<Self, Failure> {
        let names: Vec<&str> = words(parsed.text("percentile-metrics").unwrap_or_default());
        if let Some(name) = names
            .iter()
            .find(|name| Metric::ALL.iter().all(|metric| metric.key() != **name))
        {
            return Err(BenchFault::NoneOf {
                name: "--percentile-metrics",
                value: (*name).to_owned(),
                known: Metric::ALL.map(Metric::key).join(", "),
            }
            .into());
        }
        let shown = |metric: &Metric| match metric {
            Metric::ClientQueue => capped,
            Metric::E2elWithQueue => capped && finite,
            _ => true,
        };
        Ok(Self {
            metrics: Metric::ALL
                .into_iter()
                .filter(|metric| names.contains(&metric.key()) && shown(metric))
                .collect(),
            percentiles: percentiles(parsed.text("metric-percentiles").unwrap_or_default())?,
            goodput: goodput(parsed.list("goodput"))?,
        })
    }
}

fn words(list: &str) -> Vec<&str> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect()
}

fn percentiles(list: &str) -> Result<Vec<f64>, Failure> {
    words(list)
        .into_iter()
        .map(|word| {
            float(word)
                .filter(|value| (0.0..=100.0).contains(value))
                .ok_or_else(|| BenchFault::Percentile(word.to_owned()).into())
        })
        .collect()
}

fn goodput(pairs: &[String]) -> Result<Option<Goodput>, Failure> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut goodput = Goodput::default();
    for pair in pairs {
        let (name, bound) = pair.split_once(':').unwrap_or((pair, ""));
        let bound = float(bound)
            .filter(|bound| *bound >= 0.0)
            .ok_or_else(|| BenchFault::Goodput(pair.clone()))?;
        match name {
            "ttft" => goodput.ttft_ms = Some(bound),
            "tpot" => goodput.tpot_ms = Some(bound),
            "e2el" => goodput.e2el_ms = Some(bound),
            _ => {
                return Err(BenchFault::NoneOf {
                    name: "--goodput",
                    value: name.to_owned(),
                    known: "ttft, tpot, e2el".to_owned(),
                }
                .into());
            }
        }
    }
    Ok(Some(goodput))
}

/// A percentile in a label or key: `99`, `99.9`.
pub(crate) fn percentile_word(percentile: f64) -> String {
    if percentile.fract() == 0.0 {
        format!("{percentile:.0}")
    } else {
        python_float(percentile)
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::{Command, parse};
    use super::*;

    fn read(line: &str, capped: bool, finite: bool) -> Result<Reported, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match parse(&words)? {
            Command::Run(parsed) => Reported::read(&parsed, capped, finite),
            Command::Help => panic!("help"),
        }
    }

    #[test]
    fn metrics_stand_in_the_reports_order_and_percentiles_in_the_users() {
        let line = "--percentile-metrics e2el,ttft --metric-percentiles 99.9,50,99";
        let reported = read(line, false, false).unwrap();
        assert_eq!(reported.metrics, [Metric::Ttft, Metric::E2el]);
        let words: Vec<String> = reported
            .percentiles
            .iter()
            .map(|p| percentile_word(*p))
            .collect();
        assert_eq!(words, ["99.9", "50", "99"]);
    }

    #[test]
    fn queue_metrics_need_a_queue() {
        let line = "--percentile-metrics client_queue_time,e2el_including_client_queue";
        assert_eq!(read(line, false, true).unwrap().metrics, []);
        assert_eq!(
            read(line, true, false).unwrap().metrics,
            [Metric::ClientQueue]
        );
        assert_eq!(read(line, true, true).unwrap().metrics.len(), 2);
    }

    #[test]
    fn goodput_names_its_bounds() {
        let reported = read("--goodput ttft:500 e2el:2000.5", false, false).unwrap();
        assert_eq!(
            reported.goodput,
            Some(Goodput {
                ttft_ms: Some(500.0),
                tpot_ms: None,
                e2el_ms: Some(2000.5)
            })
        );
        for bad in [
            "--goodput itl:5",
            "--goodput ttft",
            "--goodput ttft:-1",
            "--goodput ttft:x",
        ] {
            assert_eq!(read(bad, false, false).unwrap_err().code, 2, "{bad}");
        }
    }

    #[test]
    fn unknown_metrics_and_percentiles_are_errors() {
        assert!(read("--percentile-metrics ttft,speed", false, false).is_err());
        assert!(read("--metric-percentiles 101", false, false).is_err());
    }
}
