//! Why an objective cannot be read.

use thiserror::Error;

use super::names::METRICS;
use super::{Metric, Op};
use crate::typed::{ShareError, SpanError};

/// An objective that cannot be read, with the place of its fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}`, at character {place}: {fault}; write an objective as `metric stat <= bound`, for \
     example `{}`", .fault.example()
)]
pub struct SloError {
    /// All that was typed.
    pub text: String,
    /// Where the fault is, in characters from 1.
    pub place: usize,
    /// What is wrong there.
    pub fault: SloFault,
}

/// What is wrong with an objective.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SloFault {
    /// Nothing bounds it.
    #[error("it has no `<=` or `>=`")]
    NoOperator,
    /// No metric is called so.
    #[error(
        "there is no metric `{word}`, did you mean `{nearest}`? (metrics: {})",
        metrics()
    )]
    UnknownMetric {
        /// As typed.
        word: String,
        /// The most similar name.
        nearest: &'static str,
    },
    /// The metric has several statistics, and none is named.
    #[error("`{metric}` needs a statistic: mean, p50, p95, p99")]
    NoStatistic {
        /// The metric.
        metric: Metric,
    },
    /// No statistic is called so.
    #[error("there is no statistic `{word}`, did you mean `{nearest}`?")]
    UnknownStatistic {
        /// The metric.
        metric: Metric,
        /// As typed.
        word: String,
        /// The most similar name.
        nearest: &'static str,
    },
    /// A share has no statistics.
    #[error("`{metric}` is a share and has no `{word}`")]
    ShareHasNone {
        /// The metric.
        metric: Metric,
        /// As typed.
        word: String,
    },
    /// More stands there than a metric and a statistic.
    #[error("`{word}` is one word too many")]
    ExtraWord {
        /// The metric.
        metric: Metric,
        /// The word.
        word: String,
    },
    /// The bound has the wrong direction.
    #[error("`{metric}` is bounded by `{}`, not `{}`", sign(metric.natural_op()), sign(*op))]
    WrongWay {
        /// The metric.
        metric: Metric,
        /// As typed.
        op: Op,
    },
    /// The bound is no time.
    #[error(transparent)]
    Span(SpanError),
    /// The bound is no share.
    #[error(transparent)]
    Share(ShareError),
    /// The bound is no pace.
    #[error("`{0}` is no pace; write one above 0 such as 20 tok/s")]
    Pace(String),
}

impl SloFault {
    pub(super) fn unknown_metric(word: String) -> Self {
        let nearest = nearest(&word, METRICS.iter().map(|(name, _)| *name));
        Self::UnknownMetric { word, nearest }
    }

    pub(super) fn unknown_stat(metric: Metric, word: String) -> Self {
        let known = ["mean", "median", "p50", "p90", "p95", "p99"];
        Self::UnknownStatistic {
            metric,
            nearest: nearest(&word, known.into_iter()),
            word,
        }
    }

    /// An objective that is right, as near as possible to what was typed.
    pub fn example(&self) -> &'static str {
        let metric = match self {
            Self::NoStatistic { metric }
            | Self::UnknownStatistic { metric, .. }
            | Self::ShareHasNone { metric, .. }
            | Self::ExtraWord { metric, .. }
            | Self::WrongWay { metric, .. } => *metric,
            Self::Share(_) => Metric::Success,
            Self::Pace(_) => Metric::Speed,
            Self::NoOperator | Self::UnknownMetric { .. } | Self::Span(_) => Metric::Ttft,
        };
        match metric {
            Metric::Speed => "speed p5 >= 20 tok/s",
            Metric::Success => "success >= 99%",
            Metric::Goodput => "goodput >= 95%",
            Metric::Ttft | Metric::Tpot | Metric::Itl | Metric::E2e => "ttft p95 <= 1s",
        }
    }
}

/// The names of all metrics.
pub fn metrics() -> String {
    let names: Vec<&str> = METRICS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.is_ascii())
        .collect();
    names.join(", ")
}

/// How a direction is written.
pub fn sign(op: Op) -> &'static str {
    match op {
        Op::AtMost => "<=",
        Op::AtLeast => ">=",
    }
}

fn nearest(word: &str, valid: impl Iterator<Item = &'static str>) -> &'static str {
    valid
        .max_by(|a, b| strsim::jaro_winkler(word, a).total_cmp(&strsim::jaro_winkler(word, b)))
        .unwrap_or("")
}
