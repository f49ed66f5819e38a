//! A load that was held: what was asked, whether it holds, what it takes, the latencies.

mod dry_run;
mod latencies;
mod rows;
mod sentence;

use std::io;

use plimsoll_core::check::{Check, leaves};
use plimsoll_core::dry_run::Leaves;
use plimsoll_core::run::{HoldPlan, Run, RunPlan};

use crate::dry_run::little;
use crate::lang::Lang;
use crate::layout;
use crate::load::load_text;
use crate::number::{duration, so_many};
pub use dry_run::render_dry_run;
pub use latencies::Latencies;
pub use rows::Row;
use rows::{asked, found};
pub(crate) use sentence::{cause, takes, verdict};

/// What a load that was held took, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What was asked for.
    pub asked: Vec<Row>,
    /// How its requests went through the server; empty where its window never began.
    pub found: Vec<Row>,
    /// Its latencies by quantile; `None` where its window never began.
    pub latencies: Option<Latencies>,
}

impl Held {
    /// `None` of a search, and of a check that has no answer yet.
    pub(crate) fn of(run: &Run, lang: Lang) -> Option<Self> {
        let check = Check::of(run)?;
        let has_window = check.answer.flow.is_some();
        Some(Self {
            asked: asked(check, lang),
            found: found(check, lang),
            latencies: has_window.then(|| Latencies::of(check, lang)),
        })
    }
}

/// Writes what was found for a terminal of so many columns.
pub(crate) fn write(held: &Held, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    if !held.found.is_empty() {
        writeln!(w)?;
    }
    write_rows(&held.found, columns, w)?;
    match &held.latencies {
        Some(latencies) => writeln!(w, "\n{}", latencies.text()),
        None => Ok(()),
    }
}

/// What is said before a load is held, a line each: that its cap and its rate contradict each other,
/// and what is held.
pub fn before(plan: &RunPlan, hold: &HoldPlan, lang: Lang) -> Vec<String> {
    let leaves = leaves(plan, hold).filter(Leaves::is_contradiction);
    let warning = leaves.map(|leaves| little(&leaves, lang));
    warning
        .into_iter()
        .chain([holding(plan, hold, lang)])
        .collect()
}

/// `20 req/s for 30 min on h:8000`.
fn holding(plan: &RunPlan, hold: &HoldPlan, lang: Lang) -> String {
    let (load, time) = (load_text(hold.load, lang), duration(hold.for_s, lang));
    let target = &plan.target;
    if let Some(requests) = hold.until_requests {
        return lang.pick(
            format!(
                "Holding {load} for {} on {target}, {time} at most.",
                so_many(requests, "request")
            ),
            format!("正在以 {load}的负载压测 {target}，直到完成 {requests} 个请求，最长 {time}。"),
        );
    }
    lang.pick(
        format!("Holding {load} for {time} on {target}."),
        format!("正在以 {load}的负载压测 {target}，保持 {time}。"),
    )
}

fn write_rows(rows: &[Row], columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    let widest = rows.iter().map(|row| layout::width(row.name)).max();
    for row in rows {
        let label = layout::left(row.name, widest.unwrap_or(0) + 2);
        layout::hang(&label, &row.text, columns, w)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
