//! Service objectives: a conjunction of `metric stat op bound`.

mod fault;
mod names;
mod parse;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use fault::{SloError, SloFault, metrics, sign};

/// What an objective speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Time to first token, ms.
    Ttft,
    /// Time per output token after the first, ms.
    Tpot,
    /// Gaps between output events, all pooled, ms.
    Itl,
    /// Whole request, ms.
    E2e,
    /// Tokens per second of one stream.
    Speed,
    /// Share of requests that did not fail.
    Success,
    /// Share of requests that meet every other objective's bound.
    Goodput,
}

impl Metric {
    /// Whether it is a share of requests, which has no statistics.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Success | Self::Goodput)
    }

    /// The direction in which it is bounded.
    pub fn natural_op(self) -> Op {
        match self {
            Self::Speed | Self::Success | Self::Goodput => Op::AtLeast,
            Self::Ttft | Self::Tpot | Self::Itl | Self::E2e => Op::AtMost,
        }
    }
}

/// Which statistic of the metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    /// The arithmetic mean.
    Mean,
    /// The quantile, 0..1.
    Quantile(f64),
    /// A share, for success and goodput.
    Ratio,
}

/// The direction of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The statistic must not be larger.
    AtMost,
    /// The statistic must not be smaller.
    AtLeast,
}

/// One objective. The bound is in ms, tokens/s or 0..1, as the metric says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Objective {
    /// What it speaks of.
    pub metric: Metric,
    /// Which statistic.
    pub stat: Stat,
    /// Which direction.
    pub op: Op,
    /// The last value that meets it, in ms, tokens/s or 0..1, as the metric says.
    pub bound: f64,
}

impl Objective {
    /// Success of at least `ratio`.
    pub fn success(ratio: f64) -> Self {
        Self {
            metric: Metric::Success,
            stat: Stat::Ratio,
            op: Op::AtLeast,
            bound: ratio,
        }
    }

    /// Mean TTFT of at most `bound_ms`.
    pub fn ttft_mean(bound_ms: f64) -> Self {
        Self {
            metric: Metric::Ttft,
            stat: Stat::Mean,
            op: Op::AtMost,
            bound: bound_ms,
        }
    }

    /// The bound with its direction and its unit.
    pub fn limit(self) -> Limit {
        Limit(self)
    }

    /// Whether a single value breaks the bound.
    pub fn is_over(&self, value: f64) -> bool {
        match self.op {
            Op::AtMost => value > self.bound,
            Op::AtLeast => value < self.bound,
        }
    }

    /// The share of requests that may break the bound: `None` for means.
    /// `ttft p95 <= b` allows 5 %, `speed p5 >= b` allows 5 %, `success >= 99 %` allows 1 %.
    pub fn allowed_share(&self) -> Option<f64> {
        match (self.stat, self.op) {
            (Stat::Mean, _) => None,
            (Stat::Quantile(q), Op::AtMost) => Some(1.0 - q),
            (Stat::Quantile(q), Op::AtLeast) => Some(q),
            (Stat::Ratio, _) => Some(1.0 - self.bound),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ttft => "ttft",
            Self::Tpot => "tpot",
            Self::Itl => "itl",
            Self::E2e => "e2e",
            Self::Speed => "speed",
            Self::Success => "success",
            Self::Goodput => "goodput",
        })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        match self.stat {
            Stat::Mean => f.write_str(" mean")?,
            Stat::Quantile(q) => write!(f, " p{}", round(q * 100.0))?,
            Stat::Ratio => {}
        }
        write!(f, " {}", self.limit())
    }
}

/// The right side of an objective, which reads the same in every language: `≤ 1 s`, `≥ 99 %`.
#[derive(Clone, Copy, Debug)]
pub struct Limit(Objective);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Objective {
            metric, op, bound, ..
        } = self.0;
        f.write_str(match op {
            Op::AtMost => "≤ ",
            Op::AtLeast => "≥ ",
        })?;
        match metric {
            Metric::Speed => write!(f, "{} tok/s", round(bound)),
            Metric::Success | Metric::Goodput => write!(f, "{} %", round(bound * 100.0)),
            _ if bound >= 1_000.0 => write!(f, "{} s", round(bound / 1_000.0)),
            _ => write!(f, "{} ms", round(bound)),
        }
    }
}

/// Rounds off what binary fractions add: 99.9 stays 99.9.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A conjunction of objectives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Slo(pub Vec<Objective>);

impl Slo {
    /// Whether an objective judges each gap between outputs.
    pub fn judges_gaps(&self) -> bool {
        self.0
            .iter()
            .any(|objective| objective.metric == Metric::Itl)
    }

    /// Adds `success` where a mean stands without one: a mean speaks of completed requests only,
    /// so failures would make it look better.
    pub fn with_success_beside_means(mut self, success_ratio: f64) -> Self {
        let has_mean = self.0.iter().any(|objective| objective.stat == Stat::Mean);
        let has_success = self
            .0
            .iter()
            .any(|objective| objective.metric == Metric::Success);
        if has_mean && !has_success {
            self.0.push(Objective::success(success_ratio));
        }
        self
    }

    /// Whether an objective worsens when requests wait for their turn: time to first token, whole
    /// requests, and what counts them. Pace alone does not.
    pub fn minds_waiting(&self) -> bool {
        self.0.iter().any(|objective| {
            matches!(
                objective.metric,
                Metric::Ttft | Metric::E2e | Metric::Goodput
            )
        })
    }

    /// Whether one request meets every per-request bound of the other objectives.
    pub fn per_request(&self) -> impl Iterator<Item = &Objective> {
        self.0.iter().filter(|objective| {
            matches!(
                objective.metric,
                Metric::Ttft | Metric::Tpot | Metric::E2e | Metric::Speed
            )
        })
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, objective) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{objective}")?;
        }
        Ok(())
    }
}
