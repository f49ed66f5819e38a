//! What the reader must know beside the verdict.

use super::super::{Search, Stop, growth};
use crate::verdict::Note;

pub(super) fn notes(search: &Search, stop: Stop) -> Vec<Note> {
    let mut notes = Vec::new();
    let stalls = growth::stalls_from(&search.ramp_levels(), search.config.rules.least_growth);
    if let Some(from_streams) = stalls.filter(|_| !matches!(stop, Stop::Growth { .. })) {
        notes.push(Note::DiminishingReturns { from_streams });
    }
    if let Some((broken, held)) = search.inversion() {
        let load = |rung| search.config.axis.load(rung);
        notes.push(Note::NotMonotone {
            failed: load(broken),
            passed: load(held),
        });
    }
    if let Some(worse_from_above) = search.remembers() {
        notes.push(Note::Hysteresis { worse_from_above });
    }
    match stop {
        Stop::Budget => notes.push(Note::BudgetSpent),
        Stop::Interrupted => notes.push(Note::Interrupted),
        _ => {}
    }
    notes
}
