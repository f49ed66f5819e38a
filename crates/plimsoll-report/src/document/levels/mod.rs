//! The levels as a table: one row a load, in the order of the loads, all visits of it together.

mod bar;
mod cell;
mod column;
mod visits;

use plimsoll_core::level::{LevelVerdict, Load};
use plimsoll_core::load::Axis;
use plimsoll_core::run::Run;

pub use bar::Bars;
pub use cell::Cell;
pub use column::{Align, Column};
pub use visits::Range;

use crate::lang::Lang;
use column::{Source, columns};
use visits::Visits;

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
        let all = with_cap(Visits::of(&run.levels), cap, run);
        let sources = columns(run, lang);
        let bars = Bars::of(run, lang);
        let rows = all.iter().map(|visits| Row {
            load: visits.load,
            verdict: (!visits.levels.is_empty()).then(|| visits.verdict()),
            visits: visits.levels.len(),
            is_cap: Some(visits.load) == cap,
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

/// What was searched along, or what the held load is counted in.
fn axis(run: &Run) -> Axis {
    let searched = run.plan.search().map(|search| search.axis);
    let held = run.plan.hold().map(|hold| hold.load.axis());
    searched.or(held).unwrap_or_default()
}

/// The loads that were searched first, then those of the other kind: a search by rate holds some
/// streams too. A cap that was never held itself has a row without figures.
fn with_cap<'a>(mut all: Vec<Visits<'a>>, cap: Option<Load>, run: &Run) -> Vec<Visits<'a>> {
    if let Some(load) = cap.filter(|cap| all.iter().all(|one| one.load != *cap)) {
        let at = all.partition_point(|one| one.load.amount() < load.amount());
        let unseen = Visits {
            load,
            levels: Vec::new(),
        };
        all.insert(at, unseen);
    }
    all.sort_by_key(|one| one.load.axis() != axis(run));
    all
}
