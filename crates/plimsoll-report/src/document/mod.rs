//! What a run says, as data without layout: the answer, what is doubtful, the table, the details.
//!
//! `Run` → [`Document`] → console, Markdown, CSV. A document is written in one language; its parts
//! are in the order in which they are read. Renderers decide where a part goes and how wide it is,
//! and compute nothing.

mod cautions;
mod details;
mod failures;
mod headlines;
mod levels;

use plimsoll_core::run::Run;

pub use details::{Detail, Topic};
pub use failures::{Failure, Failures};
pub use headlines::{Headline, HeadlineKind, Headlines, Standing};
pub use levels::{Align, Bars, Cell, Column, LevelTable, Range, Row};

use crate::check::Held;
use crate::figures::plot_input;
use crate::lang::Lang;
use crate::plot::PlotInput;
use crate::tiers::TierTable;

/// A run, told in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The language of every text.
    pub lang: Lang,
    /// What was measured, in a line: for a title.
    pub title: String,
    /// What to set, what to plan for, the limit, why, and what that is valid for.
    pub headlines: Headlines,
    /// What the reader must know before the answer is used, the gravest first.
    pub cautions: Vec<String>,
    /// Requests that failed.
    pub failures: Failures,
    /// The levels, one row a load.
    pub levels: LevelTable,
    /// What a load that was held took; `None` of a search.
    pub held: Option<Held>,
    /// The answers of several SLOs; `None` where there is one.
    pub tiers: Option<TierTable>,
    /// What a reader may want to look up, by topic.
    pub details: Vec<Detail>,
    /// What the pictures show; [`figures::drawn`](crate::figures::drawn) paints them.
    pub figures: PlotInput,
}

impl Document {
    /// Tells a run, finished or not.
    pub fn of(run: &Run, lang: Lang) -> Self {
        Self {
            lang,
            title: headlines::title(run),
            headlines: Headlines::of(run, lang),
            cautions: cautions::cautions(run, lang),
            failures: Failures::of(run, lang),
            levels: LevelTable::of(run, headlines::load_to_set(run), lang),
            held: Held::of(run, lang),
            tiers: TierTable::of(run, lang),
            details: details::details(run, lang),
            figures: plot_input(run),
        }
    }
}
