//! One value of the table.

use plimsoll_core::level::{LevelVerdict, Load};

use super::Range;
use crate::lang::Lang;
use crate::load::load_text;
use crate::number::{MISSING, cell as number, percent, percent_down};
use crate::words;

/// Two quantiles whose texts are the same are one.
const DASH: &str = "–";

/// A value with what it is; `None` is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// The load, by its number alone.
    Load(Load),
    /// A load of another kind than those that were searched: with its unit.
    OtherLoad(Load),
    /// What its visits say; `None` at a cap that was not held itself.
    Verdict(Option<LevelVerdict>),
    /// A number of requests; `None` where nothing was counted.
    Count(Option<u64>),
    /// A share that must not read 100 % unless it is, 0..1.
    Success(Option<f64>),
    /// Another share, 0..1.
    Share(Option<f64>),
    /// A mean or a rate, in the column's unit.
    Number(Option<f64>),
    /// A quantile of each visit, in the column's unit.
    Quantile(Option<Range>),
}

impl Cell {
    /// As people read it.
    pub fn text(self, lang: Lang) -> String {
        let text = match self {
            Self::Load(load) => Some(load_cell(load, lang)),
            Self::OtherLoad(load) => Some(load_text(load, lang)),
            Self::Verdict(verdict) => Some(verdict_cell(verdict, lang).to_owned()),
            Self::Count(count) => count.map(|count| count.to_string()),
            Self::Success(ratio) => ratio.map(percent_down),
            Self::Share(ratio) => ratio.map(percent),
            Self::Number(value) => value.map(number),
            Self::Quantile(range) => range.map(range_cell),
        };
        text.unwrap_or_else(|| MISSING.to_owned())
    }
}

/// Streams by their number alone; arrivals with their unit, as both stand in a search by rate.
fn load_cell(load: Load, lang: Lang) -> String {
    match load {
        Load::Streams(streams) => streams.to_string(),
        Load::RatePerS(rate) => lang.pick(format!("{rate}/s"), format!("{rate}/秒")),
    }
}

fn verdict_cell(verdict: Option<LevelVerdict>, lang: Lang) -> &'static str {
    match verdict {
        Some(verdict) => words::level_verdict(verdict, lang),
        None => lang.pick("cap", "上限"),
    }
}

fn range_cell(range: Range) -> String {
    let (least, most) = (number(range.least), number(range.most));
    if least == most {
        most
    } else {
        format!("{least}{DASH}{most}")
    }
}
