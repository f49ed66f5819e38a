//! What is wrong with a command line of `bench serve`, or with its run. The words of the parser are
//! those of the one it stands in for.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use plimsoll_core::schedule::ArrivalError;
use plimsoll_load::error::LoadError;
use plimsoll_load::target::{HeaderFault, RouteError, TargetError};
use thiserror::Error;

use super::failure::{EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE};
use super::way_out::WayOut;
use crate::fault::{MachineFault, Words, chain};
use crate::proxy::ProxyError;

/// What is wrong. Names of flags stand with their dashes.
#[derive(Debug, Error)]
pub(crate) enum BenchFault {
    #[error("unrecognized arguments: {0}")]
    Unrecognized(String),
    #[error("ambiguous option: {name} could match {names}")]
    Ambiguous { name: String, names: String },
    #[error("argument {name}: ignored explicit argument '{value}'")]
    IgnoredArgument { name: String, value: String },
    #[error("argument {0}: expected one argument")]
    ExpectedOne(String),
    #[error("argument {0}: expected at least one argument")]
    ExpectedSome(String),
    #[error("argument {name}: invalid {kind} value: '{value}'")]
    InvalidValue {
        name: String,
        kind: &'static str,
        value: String,
    },
    #[error("argument {name}: invalid choice: '{value}'")]
    InvalidChoice { name: &'static str, value: String },
    #[error("{0} is not offered")]
    NotOffered(String),
    #[error("the keys of {0} are nested more than 100 deep")]
    TooDeep(String),
    #[error("{0} takes no dotted keys")]
    NoDottedKeys(String),
    #[error("{name} needs {other}")]
    Needs { name: String, other: String },
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("--connect-to: {0}")]
    ConnectTo(RouteError),
    #[error(transparent)]
    Header(#[from] HeaderFault),
    #[error("--source-ip: `{0}` is no IP address")]
    NoIp(String),
    /// It is not shown: a login may stand in it.
    #[error("--host takes a name or an address alone; an address with more is --base-url")]
    NoHost,
    #[error("--endpoint {0} does not fit the backend")]
    Endpoint(String),
    #[error("--{0} is no name: it has more than 1024 bytes, or characters that do not show")]
    NoName(&'static str),
    /// The word is not shown: a key may stand in it.
    #[error("{0} takes KEY=VALUE words")]
    KeyValue(&'static str),
    #[error("--extra-body takes a JSON object")]
    NoObject,
    #[error("{name} must be {least} to {most}, got {got}")]
    OutOfBounds {
        name: String,
        least: i64,
        most: i64,
        got: i64,
    },
    #[error("{name} must be above 0, got {got}")]
    NotAbove0 { name: String, got: String },
    #[error("{name} must be at least {least}, got {got:e}")]
    TooSmall { name: String, least: f64, got: f64 },
    #[error("--timeout must be above 0 and at most 31536000 seconds, got {0}")]
    Timeout(f64),
    #[error("{name}: `{value}` is none of {known}")]
    NoneOf {
        name: &'static str,
        value: String,
        known: String,
    },
    #[error("--metric-percentiles: `{0}` is no number from 0 to 100")]
    Percentile(String),
    #[error("--goodput: `{0}` is not NAME:MS with a number of milliseconds from 0")]
    Goodput(String),
    #[error("--ramp-up-strategy sets the rate: leave --request-rate out")]
    RampWithRate,
    #[error("the ramp must rise to above 0, got {from} to {to} requests per second")]
    RampFalls { from: u32, to: u32 },
    #[error("an exponential ramp cannot start from 0: --ramp-up-start-rps must be above 0")]
    RampFrom0,
    #[error(transparent)]
    Arrivals(#[from] ArrivalError),
    #[error(
        "prompts would have 0 tokens: raise --random-input-len or --random-prefix-len, or lower \
         --random-range-ratio"
    )]
    NoPrompt,
    #[error("--random-range-ratio takes a number in [0, 1) or {{\"input\": a, \"output\": b}}")]
    RangeRatio,
    #[error("--dataset-path `{0}` must end in .jsonl for the custom data set")]
    NotJsonLines(String),
    #[error(transparent)]
    Machine(#[from] MachineFault),
    #[error("the report cannot be written: {0}")]
    Report(io::Error),
    #[error("the result cannot be written to `{}`: {error}", path.display())]
    Result { path: PathBuf, error: io::Error },
    #[error("`{path}` cannot be read: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("`{path}` is not a ShareGPT file: {error}")]
    NotShareGpt {
        path: String,
        error: serde_json::Error,
    },
    #[error("`{path}` line {line}: {error}")]
    Line {
        path: String,
        line: usize,
        error: io::Error,
    },
    #[error("`{path}` line {line}: {error}")]
    LineJson {
        path: String,
        line: usize,
        error: serde_json::Error,
    },
    #[error("`{path}` line {line} has no output_tokens")]
    NoOutputTokens { path: String, line: usize },
    #[error("`{0}` has no usable rows")]
    NoRows(String),
    /// With what was last seen of it, as it was said.
    #[error("the server was not up in {seconds} s: {seen}")]
    NotUp {
        seconds: u64,
        seen: String,
        /// Whether no connection could be made.
        refused: bool,
    },
    #[error("the model's name cannot be learned from the server: {seen}")]
    NoModelName {
        seen: String,
        /// Whether nobody listens there.
        refused: bool,
    },
    #[error("stopped before the run")]
    Stopped,
    #[error("the request before the run left no record")]
    NoRecord,
    #[error("{}", chain(.0))]
    Load(#[from] LoadError),
}

/// A flag that means nothing without another.
pub(super) fn needs(name: &str, other: &str) -> BenchFault {
    BenchFault::Needs {
        name: name.to_owned(),
        other: other.to_owned(),
    }
}

/// A number of a flag that must be above 0.
pub(super) fn not_above_0(name: &str, got: impl Display) -> BenchFault {
    BenchFault::NotAbove0 {
        name: name.to_owned(),
        got: got.to_string(),
    }
}

/// A whole number of a flag, its name without dashes, that lies outside of its bounds.
pub(super) fn out_of_bounds(name: &str, (least, most): (i64, i64), got: i64) -> BenchFault {
    BenchFault::OutOfBounds {
        name: format!("--{name}"),
        least,
        most,
        got,
    }
}

impl BenchFault {
    /// The exit code that says it.
    pub(super) fn code(&self) -> i32 {
        match self {
            Self::Stopped => EXIT_INTERRUPTED,
            Self::Report(_)
            | Self::Result { .. }
            | Self::Unreadable { .. }
            | Self::NotShareGpt { .. }
            | Self::Line { .. }
            | Self::LineJson { .. }
            | Self::NoOutputTokens { .. }
            | Self::NoRows(_)
            | Self::NotUp { .. }
            | Self::NoModelName { .. }
            | Self::NoRecord
            | Self::Load(_) => EXIT_FAILED,
            _ => EXIT_USAGE,
        }
    }

    /// The way out that goes with it wherever it comes up.
    pub(super) fn hint(&self) -> Option<WayOut> {
        match self {
            Self::Machine(fault) => Some(WayOut::Machine(fault.hint())),
            Self::NotUp { refused: true, .. } | Self::NoModelName { refused: true, .. } => {
                Some(WayOut::IsItRunning)
            }
            Self::NoModelName { .. } => Some(WayOut::NameModel),
            Self::NoOutputTokens { .. } => Some(WayOut::OutputLen),
            _ => None,
        }
    }
}

impl Words for BenchFault {
    fn zh(&self) -> String {
        match self {
            Self::Unrecognized(word) => format!("没有参数 `{word}`"),
            Self::Ambiguous { name, names } => format!("`{name}` 有歧义，可能是：`{names}`"),
            Self::IgnoredArgument { name, value } => {
                format!("`{name}` 不带值，却给了 `{value}`")
            }
            Self::ExpectedOne(name) => format!("`{name}` 缺少值"),
            Self::ExpectedSome(name) => format!("`{name}` 至少要一个值"),
            Self::InvalidValue { name, kind, value } => {
                format!("`{name}` 的值 `{value}` 不是 `{kind}`")
            }
            Self::InvalidChoice { name, value } => format!("`{name}` 没有 `{value}` 这个选项"),
            Self::NotOffered(what) => format!("不提供 `{what}`"),
            Self::NoDottedKeys(name) => format!("`{name}` 不支持点号键"),
            Self::Needs { name, other } => format!("`{name}` 需要 `{other}`"),
            Self::Target(error) => error.zh(),
            Self::Proxy(error) => error.zh(),
            Self::Header(fault) => fault.zh(),
            Self::ConnectTo(error) => format!("--connect-to：{}", error.zh()),
            Self::NoIp(text) => format!("--source-ip：`{text}` 不是 IP 地址"),
            Self::Endpoint(endpoint) => format!("`--endpoint {endpoint}` 与后端不符"),
            Self::NoHost => "--host 只能是主机名或地址；带其他部分的地址用 --base-url".to_owned(),
            Self::TooDeep(name) => format!("{name} 的键嵌套超过 100 层"),
            Self::NoName(name) => format!("--{name} 不是名字：超过 1024 字节，或含有不可见字符"),
            Self::KeyValue(name) => format!("`{name}` 的值写作 KEY=VALUE"),
            Self::NoObject => "--extra-body 要一个 JSON 对象".into(),
            Self::OutOfBounds {
                name,
                least,
                most,
                got,
            } => format!("`{name}` 必须在 {least} 到 {most} 之间，而给出的是 {got}"),
            Self::NotAbove0 { name, got } => format!("`{name}` 必须大于 0，而给出的是 {got}"),
            Self::TooSmall { name, least, got } => {
                format!("`{name}` 至少为 {least}，而给出的是 {got:e}")
            }
            Self::Timeout(got) => {
                format!("--timeout 必须大于 0 且不超过 31536000 秒，而给出的是 {got}")
            }
            Self::NoneOf { name, value, known } => {
                format!("`{name}` 的 `{value}` 不在可选值之中：`{known}`")
            }
            Self::Percentile(word) => {
                format!("--metric-percentiles：`{word}` 不是 0 到 100 的数")
            }
            Self::Goodput(pair) => {
                format!("--goodput：`{pair}` 不是 NAME:MS，毫秒数不能小于 0")
            }
            Self::RampWithRate => "--ramp-up-strategy 已决定速率，不要再给 --request-rate".into(),
            Self::RampFalls { from, to } => {
                format!("速率必须上升到大于 0，而给出的是每秒 {from} 到 {to} 个请求")
            }
            Self::RampFrom0 => "指数上升不能从 0 开始：--ramp-up-start-rps 必须大于 0".into(),
            Self::Arrivals(error) => error.zh(),
            Self::NoPrompt => "输入会是 0 个 token：请增大 --random-input-len 或 \
                               --random-prefix-len，或减小 --random-range-ratio"
                .into(),
            Self::RangeRatio => {
                "--random-range-ratio 要 [0, 1) 的数，或 `{\"input\": a, \"output\": b}`".into()
            }
            Self::NotJsonLines(path) => {
                format!("custom 数据集的 --dataset-path 必须以 .jsonl 结尾：`{path}`")
            }
            Self::Machine(fault) => fault.zh(),
            Self::Report(error) => format!("报告无法写出：{}", error.zh()),
            Self::Result { path, error } => {
                format!("结果无法写入 `{}`：{}", path.display(), error.zh())
            }
            Self::Unreadable { path, error } => format!("`{path}` 无法读取：{}", error.zh()),
            Self::NotShareGpt { path, error } => {
                format!("`{path}` 不是 ShareGPT 文件：{}", error.zh())
            }
            Self::Line { path, line, error } => {
                format!("`{path}` 第 {line} 行：{}", error.zh())
            }
            Self::LineJson { path, line, error } => {
                format!("`{path}` 第 {line} 行：{}", error.zh())
            }
            Self::NoOutputTokens { path, line } => {
                format!("`{path}` 第 {line} 行没有 output_tokens")
            }
            Self::NoRows(path) => format!("`{path}` 里没有可用的行"),
            Self::NotUp { seconds, seen, .. } => {
                format!("服务在 {seconds} 秒内没有就绪：「{seen}」")
            }
            Self::NoModelName { seen, .. } => format!("无法从服务得知模型名：「{seen}」"),
            Self::Stopped => "开始前已被中断".into(),
            Self::NoRecord => "开始前的请求没有留下记录".into(),
            Self::Load(error) => error.zh(),
        }
    }
}

impl Words for ArrivalError {
    fn zh(&self) -> String {
        match self {
            Self::Rate(got) => format!("每秒请求数必须大于 0，而给出的是 {got}"),
            Self::Burstiness(got) => format!("burstiness 必须大于 0，而给出的是 {got}"),
        }
    }
}
