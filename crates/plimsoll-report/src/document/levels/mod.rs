//! The levels as a table: one row a load, in the order of the loads, all visits of it together.

mod bar;
mod cell;
mod column;
mod visits;

use plimsoll_core::level::{LevelVerdict, Load};
use plimsoll_core::run::Run;

pub use bar::Bars;
pub use cell::Cell;
pub use column::{Align, Column};
pub use visits::Range;

use crate::lang::Lang;
use column::{Source, columns};
use visits::Visits;
pub(super) use visits::statistic;

/// The table of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelTable {
    /// What stands in each cell of a row, from left to right.
    pub columns: Vec<Column>,
    /// One row a load.
    pub rows: Vec<Row>,
    /// What the bars beside the rows show; `None` where no objective has a scale.
    pub bars: Option<Bars>,
}

/// All that was seen at one load.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The load.
    pub load: Load,
    /// What its visits say together; `None` at a gateway cap that was not held itself.
    pub verdict: Option<LevelVerdict>,
    /// How often it was visited.
    pub visits: usize,
    /// Whether this is the load to set at the gateway.
    pub is_cap: bool,
    /// One for each column.
    pub cells: Vec<Cell>,
    /// Its metric over the bound of the objective that the bars show.
    pub bar_ratio: Option<f64>,
}

impl LevelTable {
    /// The levels of a run, with the load to set at the gateway marked.
    pub(super) fn of(run: &Run, cap: Option<Load>, lang: Lang) -> Self {
        let all = with_cap(Visits::of(&run.levels, run.plan.unit()), cap);
        let sources = columns(run, lang);
        let bars = Bars::of(run, lang);
        let rows = all.iter().map(|visits| Row {
            load: visits.load,
            verdict: (!visits.levels.is_empty()).then(|| visits.verdict()),
            visits: visits.levels.len(),
            is_cap: visits.is_searched && Some(visits.load) == cap,
            cells: sources.iter().map(|source| source.cell(visits)).collect(),
            bar_ratio: bars.as_ref().and_then(|bars| bars.ratio(visits)),
        });
        Self {
            rows: rows.collect(),
            columns: sources.into_iter().map(Source::into_column).collect(),
            bars,
        }
    }
}

/// The loads that were searched first, then those beside them: a search by rate holds
/// some streams too. A cap that was never held itself has a row without figures.
fn with_cap(mut all: Vec<Visits<'_>>, cap: Option<Load>) -> Vec<Visits<'_>> {
    let is_seen = |cap: &Load| all.iter().any(|one| one.is_searched && one.load == *cap);
    if let Some(load) = cap.filter(|cap| !is_seen(cap)) {
        let at = all.partition_point(|one| one.load.amount() < load.amount());
        let unseen = Visits {
            load,
            is_searched: true,
            levels: Vec::new(),
        };
        all.insert(at, unseen);
    }
    all.sort_by_key(|one| !one.is_searched);
    all
}
