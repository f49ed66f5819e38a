//! A command line that cannot be read. Its parser speaks English; this says the same in Chinese.

use std::error::Error;
use std::fmt;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use plimsoll_core::preset::UnknownPreset;
use plimsoll_core::search::LadderError;
use plimsoll_core::slo::SloError;
use plimsoll_core::tier::TierError;
use plimsoll_load::target::RouteError;

use super::{ValueFault, Words};

/// What the parser of arguments says, behind `error: `.
#[derive(Debug)]
pub(crate) struct UsageFault(Box<clap::Error>);

impl From<clap::Error> for UsageFault {
    fn from(error: clap::Error) -> Self {
        Self(Box::new(error))
    }
}

impl Error for UsageFault {}

impl fmt::Display for UsageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(text.strip_prefix("error: ").unwrap_or(&text).trim_end())
    }
}

impl Words for UsageFault {
    fn zh(&self) -> String {
        let error = &self.0;
        let mut lines = vec![what(error)];
        lines.extend(way_out(error).map(|hint| format!("提示：{hint}")));
        lines.extend(usage(error).map(|usage| format!("用法：`{usage}`")));
        lines.push("更多说明见 `--help`。".to_owned());
        lines.join("\n")
    }
}

/// What is wrong. Kinds that no argument here can bring about keep the parser's words, quoted.
fn what(error: &clap::Error) -> String {
    let argument = one(error, ContextKind::InvalidArg);
    let value = one(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::UnknownArgument => format!("没有参数 `{argument}`"),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令 `{}`", one(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("`{argument}` 缺少值{}", valid(error))
        }
        ErrorKind::InvalidValue => format!("`{argument}` 的值 `{value}` 无效{}", valid(error)),
        ErrorKind::ValueValidation => {
            format!("`{argument}` 的值 `{value}` 无效：{}", source(error))
        }
        ErrorKind::ArgumentConflict => conflict(&argument, &all(error, ContextKind::PriorArg)),
        ErrorKind::MissingRequiredArgument => {
            let missing = listed(&all(error, ContextKind::InvalidArg));
            format!("缺少参数：{missing}")
        }
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::TooManyValues => format!("`{argument}` 多了一个值 `{value}`"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("`{argument}` 的值的个数不对")
        }
        ErrorKind::NoEquals => format!("`{argument}` 的值要用等号给出"),
        ErrorKind::InvalidUtf8 => "有参数不是 UTF-8 文本".to_owned(),
        _ => format!("「{}」", error.to_string().trim()),
    }
}

fn conflict(argument: &str, others: &[String]) -> String {
    match others {
        [other] if other == argument => format!("`{argument}` 不能重复给出"),
        [] => format!("`{argument}` 不能与其他参数同用"),
        others => format!("`{argument}` 不能与 {} 同用", listed(others)),
    }
}

/// The values that an argument takes.
fn valid(error: &clap::Error) -> String {
    let values = all(error, ContextKind::ValidValue);
    if values.is_empty() {
        String::new()
    } else {
        format!("；可选：{}", values.join("、"))
    }
}

/// What was meant instead, if something is near.
fn way_out(error: &clap::Error) -> Option<String> {
    let kinds = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let near: Vec<String> = kinds
        .into_iter()
        .flat_map(|kind| all(error, kind))
        .collect();
    (!near.is_empty()).then(|| format!("是不是 {}？", listed(&near)))
}

fn usage(error: &clap::Error) -> Option<String> {
    let ContextValue::StyledStr(usage) = error.get(ContextKind::Usage)? else {
        return None;
    };
    let text = usage.to_string();
    let text = text.trim().strip_prefix("Usage:").unwrap_or(&text);
    Some(text.trim().replace("[OPTIONS]", "[选项]"))
}

/// What the parser of the value says, where it is one of ours or of the standard library.
fn source(error: &clap::Error) -> String {
    let Some(source) = error.source() else {
        return "不能这样写".to_owned();
    };
    words::<ValueFault>(source)
        .or_else(|| words::<SloError>(source))
        .or_else(|| words::<TierError>(source))
        .or_else(|| words::<LadderError>(source))
        .or_else(|| words::<UnknownPreset>(source))
        .or_else(|| words::<RouteError>(source))
        .or_else(|| words::<ParseIntError>(source))
        .or_else(|| words::<ParseFloatError>(source))
        .or_else(|| words::<AddrParseError>(source))
        .unwrap_or_else(|| format!("「{source}」"))
}

fn words<T: Error + Words + 'static>(source: &(dyn Error + 'static)) -> Option<String> {
    source.downcast_ref::<T>().map(Words::zh)
}

impl Words for ParseIntError {
    fn zh(&self) -> String {
        let text = match self.kind() {
            IntErrorKind::PosOverflow => "太大",
            IntErrorKind::NegOverflow => "太小",
            _ => "不是非负整数",
        };
        text.to_owned()
    }
}

impl Words for ParseFloatError {
    fn zh(&self) -> String {
        "不是数".to_owned()
    }
}

impl Words for AddrParseError {
    fn zh(&self) -> String {
        "不是地址".to_owned()
    }
}

/// The text of a piece of context, or nothing.
fn one(error: &clap::Error, kind: ContextKind) -> String {
    all(error, kind).into_iter().next().unwrap_or_default()
}

/// The texts of a piece of context.
fn all(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

fn listed(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    quoted.join("、")
}
