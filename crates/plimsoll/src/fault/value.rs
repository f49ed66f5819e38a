//! The value of one argument, which its own parser refuses.

use plimsoll_core::preset::UnknownPreset;
use plimsoll_core::search::LadderError;
use plimsoll_core::slo::{SloError, SloFault, metrics, sign};
use plimsoll_core::tier::TierError;
use plimsoll_core::typed::{ShareError, SpanError};
use plimsoll_core::workload::NamedWorkload;
use thiserror::Error;

use super::Words;

/// Why a value is none.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum ValueFault {
    #[error(transparent)]
    Span(#[from] SpanError),
    #[error(transparent)]
    Share(#[from] ShareError),
    #[error("`{0}` is not a number")]
    NotANumber(String),
    #[error("`{0}` is not a whole number")]
    NotWhole(String),
    #[error("must be from {least} to {most}")]
    OutOfBounds { least: f64, most: f64 },
    #[error("must be above 0, and at most {most}")]
    NotAbove0 { most: f64 },
    #[error("there is none of this name; there are: {}", workloads(", "))]
    Workload,
    #[error("must be a JSON object, such as '{{\"top_k\": 5}}'")]
    NotAnObject,
    #[error("is no name: it is empty, has more than 1024 bytes, or characters that do not show")]
    NoName,
    #[error("is no path: it is empty, or has control characters")]
    NoPath,
    #[error("write two times such as 100ms,50ms")]
    NotTwoTimes,
}

fn workloads(between: &str) -> String {
    let names: Vec<&str> = NamedWorkload::all().iter().map(|one| one.name).collect();
    names.join(between)
}

impl Words for ValueFault {
    fn zh(&self) -> String {
        match self {
            Self::Span(error) => error.zh(),
            Self::Share(error) => error.zh(),
            Self::NotANumber(text) => format!("`{text}` 不是数"),
            Self::NotWhole(text) => format!("`{text}` 不是整数"),
            Self::OutOfBounds { least, most } => format!("必须在 {least} 到 {most} 之间"),
            Self::NotAbove0 { most } => format!("必须大于 0，且不超过 {most}"),
            Self::Workload => format!("没有这个名字；可选：{}", workloads("、")),
            Self::NotAnObject => "必须是 JSON 对象，如 '{\"top_k\": 5}'".into(),
            Self::NoName => "不是名字：为空、超过 1024 字节，或含有不可见字符".into(),
            Self::NoPath => "不是路径：为空，或含有控制字符".into(),
            Self::NotTwoTimes => "写两个时间，如 100ms,50ms".into(),
        }
    }
}

impl Words for SpanError {
    fn zh(&self) -> String {
        match self {
            Self::NotATime(text) => {
                format!("`{text}` 不是时间；写作 500ms、90s、1m30s 或 2h 等")
            }
            Self::NoUnit(text) => format!("`{text}` 没有单位：us、ms、s、m 或 h"),
            Self::UnknownUnit(unit) => format!("`{unit}` 不是时间单位：us、ms、s、m 或 h"),
            Self::Order(text) => format!("`{text}`：单位要由大到小，各用一次，如 1m30s"),
            Self::Negative(text) => format!("`{text}` 小于 0"),
            Self::Zero(text) => format!("`{text}` 必须大于 0"),
            Self::TooLong(text) => format!("`{text}` 太长：最多一年（8760h）"),
        }
    }
}

impl Words for ShareError {
    fn zh(&self) -> String {
        match self {
            Self::NotAShare(text) => format!("`{text}` 不是比例；写作 95% 等"),
            Self::Ambiguous {
                typed,
                percent,
                ratio,
            } => {
                format!("`{typed}` 可能是 {percent}，也可能是 {ratio}：请带上 % 写明是哪一个")
            }
            Self::NoUnit { typed, percent } => format!("`{typed}` 没有单位：请写作 {percent}"),
            Self::OutOfBounds { typed, least, most } => {
                format!("`{typed}` 必须在 {least} 到 {most} 之间")
            }
        }
    }
}

impl Words for SloError {
    fn zh(&self) -> String {
        format!(
            "`{}` 的第 {} 个字符处：{}；目标写作 `指标 统计量 <= 界限`，如 `{}`",
            self.text,
            self.place,
            self.fault.zh(),
            self.fault.example()
        )
    }
}

impl Words for SloFault {
    fn zh(&self) -> String {
        match self {
            Self::NoOperator => "没有 `<=` 或 `>=`".into(),
            Self::UnknownMetric { word, nearest } => format!(
                "没有指标 `{word}`，是不是 `{nearest}`？（指标：{}）",
                metrics().replace(", ", "、")
            ),
            Self::NoStatistic { metric } => {
                format!("`{metric}` 还要写统计量：均值、p50、p95 或 p99")
            }
            Self::UnknownStatistic { word, nearest, .. } => {
                format!("没有统计量 `{word}`，是不是 `{nearest}`？")
            }
            Self::ShareHasNone { metric, word } => {
                format!("`{metric}` 是比例，没有 `{word}`")
            }
            Self::ExtraWord { word, .. } => format!("多了一个词 `{word}`"),
            Self::WrongWay { metric, op } => format!(
                "`{metric}` 的界限用 `{}`，不用 `{}`",
                sign(metric.natural_op()),
                sign(*op)
            ),
            Self::Span(error) => error.zh(),
            Self::Share(error) => error.zh(),
            Self::Pace(text) => format!("`{text}` 不是速度；写一个大于 0 的，如 20 tok/s"),
        }
    }
}

impl Words for TierError {
    fn zh(&self) -> String {
        match self {
            Self::NoName(text) => {
                format!("`{text}` 没有名字；一档写作 `名字: 目标`，如 `金牌: ttft p95 <= 300ms`")
            }
            Self::Slo(error) => error.zh(),
        }
    }
}

impl Words for LadderError {
    fn zh(&self) -> String {
        let Self(text) = self;
        format!("`{text}` 不是档位：写 `doubling`、`guide` 或由小到大的数，如 `1,2,5,10`")
    }
}

impl Words for UnknownPreset {
    fn zh(&self) -> String {
        "预设只有 quick、limit、realistic、capacity、soak".into()
    }
}
