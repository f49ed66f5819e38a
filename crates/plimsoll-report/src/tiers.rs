//! The answers of several SLOs, side by side.

use std::io;

use comfy_table::{CellAlignment, ContentArrangement, Table};
use plimsoll_core::load::{Load, LoadUnit};
use plimsoll_core::run::Run;
use plimsoll_core::tier::TierVerdict;
use plimsoll_core::verdict::{Verdict, VerdictKind};

use crate::lang::Lang;
use crate::layout;
use crate::layout::STYLE;
use crate::load::{counted, load_text};
use crate::notes::note;
use crate::number::{MISSING, trimmed};
use crate::words;

/// The answers of a run's tiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierTable {
    /// What the table shows, and whose the levels and the answer beside it are.
    pub above: String,
    /// The headings of the columns.
    pub heads: [String; 6],
    /// One row a tier; a cell may have several lines.
    pub rows: Vec<[String; 6]>,
    /// What is to be known of a tier that is not the first.
    pub notes: Vec<String>,
}

impl TierTable {
    /// `None` where the run has one SLO.
    pub(crate) fn of(run: &Run, lang: Lang) -> Option<Self> {
        let (first, others) = run.tiers.split_first()?;
        let name = &first.name;
        let above = lang.pick(
            format!("All tiers; the levels and the answer above are those of {name}:"),
            format!("各等级的结论（以上各档数据和结论按等级 {name} 评判）："),
        );
        let notes = others
            .iter()
            .flat_map(|tier| own_notes(tier, &first.verdict, run, lang));
        Some(Self {
            above,
            heads: heads(run, lang),
            rows: run.tiers.iter().map(|tier| row(tier, lang)).collect(),
            notes: notes.collect(),
        })
    }
}

/// Writes the table for a terminal of so many columns.
pub(crate) fn write(tiers: &TierTable, columns: usize, w: &mut dyn io::Write) -> io::Result<()> {
    writeln!(w)?;
    for line in layout::wrap(&tiers.above, columns) {
        writeln!(w, "{line}")?;
    }
    writeln!(w)?;
    for line in table(tiers).lines() {
        writeln!(w, "{}", line.trim_end())?;
    }
    if !tiers.notes.is_empty() {
        writeln!(w)?;
    }
    tiers
        .notes
        .iter()
        .try_for_each(|text| layout::hang("- ", text, columns, w))
}

/// What is noted of a tier and not of the first.
fn own_notes(tier: &TierVerdict, first: &Verdict, run: &Run, lang: Lang) -> Vec<String> {
    let notes = tier.verdict.notes.iter();
    let own = notes.filter(|one| !first.notes.contains(one));
    own.map(|one| {
        let (name, text) = (&tier.name, note(one, run, lang));
        lang.pick(format!("{name}: {text}"), format!("{name}：{text}"))
    })
    .collect()
}

fn table(tiers: &TierTable) -> Table {
    let mut table = Table::new();
    let _ = table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(&tiers.heads);
    for row in &tiers.rows {
        let _ = table.add_row(row);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        let _ = column.set_padding((0, 2));
        column.set_cell_alignment(if (2..5).contains(&at) {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
    }
    table
}

fn heads(run: &Run, lang: Lang) -> [String; 6] {
    let unit = run.plan.unit();
    let advice = match unit {
        LoadUnit::Streams | LoadUnit::Users => lang.pick("cap", "上限"),
        LoadUnit::RatePerS => lang.pick("plan for", "平均速率"),
    };
    let share = trimmed(run.plan.confidence.two_sided() * 100.0);
    [
        lang.pick("tier", "等级").to_owned(),
        lang.pick("objectives", "目标").to_owned(),
        counted(unit, lang).to_owned(),
        lang.pick(format!("{share} % interval"), format!("{share} % 置信区间")),
        advice.to_owned(),
        lang.pick("breaks first", "首先超标").to_owned(),
    ]
}

fn row(tier: &TierVerdict, lang: Lang) -> [String; 6] {
    let objectives = tier.slo.0.iter().map(|one| words::objective(one, lang));
    let objectives: Vec<String> = objectives.collect();
    let verdict = &tier.verdict;
    let missing = |text: Option<String>| text.unwrap_or_else(|| MISSING.to_owned());
    [
        tier.name.clone(),
        objectives.join("\n"),
        capacity(verdict, lang),
        missing(interval(verdict, lang)),
        missing(cap(verdict)),
        missing(breaks(tier, lang)),
    ]
}

/// The capacity, or why there is none.
fn capacity(verdict: &Verdict, lang: Lang) -> String {
    let found = verdict.answer().map(|found| found.at.amount());
    match (verdict.kind, found) {
        (VerdictKind::BelowFirst, _) => lang.pick("none", "无").to_owned(),
        (VerdictKind::AboveLast | VerdictKind::ClientLimited, Some(at)) => format!("≥ {at}"),
        (VerdictKind::Inconclusive | VerdictKind::ServerGone, _) | (_, None) => {
            lang.pick("not known", "未知").to_owned()
        }
        (_, Some(at)) => at.to_string(),
    }
}

/// Where a stop rule ended the ramp there is none.
fn interval(verdict: &Verdict, lang: Lang) -> Option<String> {
    let found = verdict.answer()?;
    let lower = found.lower.amount();
    match (verdict.kind, found.upper.map(Load::amount)) {
        (VerdictKind::Capacity, Some(upper)) => Some(format!("{lower}–{upper}")),
        (VerdictKind::Capacity | VerdictKind::AboveLast, None) => {
            Some(lang.pick(format!("{lower} or more"), format!("{lower} 及以上")))
        }
        _ => None,
    }
}

/// The gateway cap, or the rate to plan for.
fn cap(verdict: &Verdict) -> Option<String> {
    let advice = verdict.recommended?;
    Some(match advice.cap {
        Load::Streams(cap) => cap.to_string(),
        Load::RatePerS(_) => advice.mean_amount.to_string(),
    })
}

fn breaks(tier: &TierVerdict, lang: Lang) -> Option<String> {
    let by = words::broken_by(tier.verdict.broken_by.as_ref()?, lang);
    let Some(at) = tier.verdict.broken_at else {
        return Some(by);
    };
    let at = load_text(at, lang);
    Some(lang.pick(format!("{by}\nat {at}"), format!("{by}\n（{at}）")))
}
