//! From what the searches found to what is said and saved: notes, and the tiers by name.

use std::time::Duration;

use anyhow::Context;
use plimsoll_core::run::Run;
use plimsoll_core::search::Searches;
use plimsoll_core::tier::TierVerdict;
use plimsoll_core::verdict::{Note, Verdict};

use super::session::Session;
use crate::fault::Failure;

/// The answer of the run, and those of its tiers.
pub(super) fn answers(
    session: &Session<'_>,
    run: &Run,
    tiers: &Searches,
    ended: Duration,
) -> Result<(Verdict, Vec<TierVerdict>), Failure> {
    let mut verdicts = tiers.verdicts(ended);
    for verdict in &mut verdicts {
        verdict.notes.extend(notes(session, run));
    }
    let named = run.plan.tiers().iter().zip(&verdicts);
    let answers = named.map(|(tier, verdict)| TierVerdict {
        name: tier.name.clone(),
        slo: tier.slo.clone(),
        verdict: verdict.clone(),
    });
    let answers = answers.collect();
    let first = verdicts.into_iter().next();
    Ok((first.context("a run has an answer")?, answers))
}

/// What preflight found that the reader must know.
fn notes(session: &Session<'_>, run: &Run) -> Vec<Note> {
    let info = &session.ready.info;
    let mut notes = Vec::new();
    if !info.reports_usage {
        notes.push(Note::NoUsage);
    }
    if info.honours_output_len == Some(false) {
        notes.push(Note::ShortAnswers);
    }
    if session.ready.dialect.calibration.is_some() {
        notes.push(Note::CalibratedPrompts);
    }
    if !info.has_metrics {
        notes.push(Note::NoServerMetrics);
    }
    let start = run.plan.search().map(|search| search.start);
    if let Some(streams) = start.filter(|start| *start > 2) {
        notes.push(Note::StartedAt { streams });
    }
    notes
}
