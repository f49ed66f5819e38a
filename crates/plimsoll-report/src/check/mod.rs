//! A check on a terminal: what was held, the answer, what the load takes, the latencies.

mod dry_run;
mod latencies;
mod rows;
mod sentence;

use std::io;

use plimsoll_core::check::{Check, leaves};
use plimsoll_core::dry_run::Leaves;
use plimsoll_core::run::{HoldPlan, RunPlan};

use crate::dry_run::little;
use crate::lang::Lang;
use crate::layout;
use crate::lengths::cannot_fix;
use crate::load::load_text;
use crate::number::duration;
pub use dry_run::render_dry_run;
use latencies::latencies;
use rows::{Row, asked, found};
pub(crate) use sentence::sentences;

/// Writes a check for a terminal of `width` columns.
pub fn render(check: Check<'_>, lang: Lang, width: u16, w: &mut dyn io::Write) -> io::Result<()> {
    let columns = usize::from(width);
    write_rows(&asked(check, lang), columns, w)?;
    writeln!(w)?;
    for line in sentences(check, lang)
        .into_iter()
        .chain(cannot_fix(check.run.server.endpoint, lang))
    {
        layout::hang("", &line, columns, w)?;
    }
    if check.answer.flow.is_some() {
        writeln!(w)?;
        write_rows(&found(check, lang), columns, w)?;
        writeln!(w, "\n{}", latencies(check, lang))?;
    }
    Ok(())
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
            format!("Holding {load} for {requests} requests on {target}, {time} at most."),
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
