//! The goals, and which of them the data exclude.

use plimsoll_core::judge::Decision;

use super::aims::{AimFound, AimScore};
use super::rates::Rate;
use super::study::{BUDGET, Found, Study};
use super::trial::{Score, covers};

/// Goals, percent of engines.
pub(super) const CLOSE: f64 = 90.0;
pub(super) const CLOSE_ENOUGH: f64 = 92.0;
pub(super) const COVERED: f64 = 93.0;
pub(super) const CAP_HOLDS: f64 = 97.5;
/// Goals, percent of levels: over all, and of the worst kind.
pub(super) const FALSE_DECISIONS: f64 = 5.0;
pub(super) const FALSE_OF_A_KIND: f64 = 10.0;
/// A level ends at the first event after its time is over.
const TICK_S: f64 = 0.5;

/// Those of the engines that carry a load at all.
pub(super) fn feasible(found: &[Found]) -> Vec<&Found> {
    let is_feasible = |one: &&Found| one.score.truth.streams > 0;
    found.iter().filter(is_feasible).collect()
}

pub(super) fn covered(one: &Found) -> bool {
    covers(one.score.answer.interval, one.score.truth.streams)
}

pub(super) fn cap_holds(scores: &[&Score]) -> Rate {
    let given: Vec<&&Score> = scores
        .iter()
        .filter(|score| score.cap_holds.is_some())
        .collect();
    Rate::of(&given, |score| score.cap_holds == Some(true))
}

pub(super) fn aim_covered(all: &[&AimScore]) -> Rate {
    Rate::of(all, |one| one.covers())
}

pub(super) fn lower_holds(all: &[&AimScore]) -> Rate {
    let given: Vec<&&AimScore> = all.iter().filter(|one| one.lower_holds.is_some()).collect();
    Rate::of(&given, |one| one.lower_holds == Some(true))
}

pub(super) fn false_decisions(decisions: &[Decision]) -> Rate {
    Rate::of(decisions, |decision| *decision != Decision::Undecided)
}

pub(super) fn over_budget(study: &Study) -> Rate {
    Rate::of(&study.steady, |one| {
        one.score.answer.load_time_s > BUDGET.as_secs_f64() + TICK_S
    })
}

/// What the data exclude, in words.
pub(super) fn missed(study: &Study) -> Vec<String> {
    let engines = feasible(&study.steady);
    let scores: Vec<&Score> = engines.iter().map(|one| &one.score).collect();
    let at_least = [
        (
            "error of capacity",
            Rate::of(&scores, |one| one.is_close),
            CLOSE,
        ),
        (
            "error or metric",
            Rate::of(&scores, |one| one.is_close_enough),
            CLOSE_ENOUGH,
        ),
        (
            "interval covers",
            Rate::of(&engines, |one| covered(one)),
            COVERED,
        ),
        ("gateway cap holds", cap_holds(&scores), CAP_HOLDS),
    ];
    let mut missed: Vec<String> = at_least
        .iter()
        .filter(|(_, rate, goal)| rate.misses_at_least(*goal))
        .map(|(name, rate, goal)| format!("{name} {:.1} % of {goal} %", rate.percent()))
        .collect();
    for (aim, all) in &study.aims {
        let all: Vec<&AimScore> = all.iter().filter_map(AimFound::score).collect();
        for (what, rate, goal) in [
            ("interval covers", aim_covered(&all), COVERED),
            ("lower end holds", lower_holds(&all), CAP_HOLDS),
        ] {
            if rate.misses_at_least(goal) {
                let (name, percent) = (aim.name(), rate.percent());
                missed.push(format!("{name}: {what} {percent:.1} % of {goal} %"));
            }
        }
    }
    let all: Vec<Decision> = study
        .judged
        .iter()
        .flat_map(|one| one.decisions.clone())
        .collect();
    if false_decisions(&all).misses_at_most(FALSE_DECISIONS) {
        let percent = false_decisions(&all).percent();
        missed.push(format!(
            "false decisions {percent:.1} % of at most {FALSE_DECISIONS} %"
        ));
    }
    for kind in &study.judged {
        let rate = false_decisions(&kind.decisions);
        if rate.misses_at_most(FALSE_OF_A_KIND) {
            let percent = rate.percent();
            missed.push(format!("false decisions on {} {percent:.1} %", kind.kind));
        }
    }
    if over_budget(study).hits > 0 {
        missed.push("load time within the budget".to_owned());
    }
    missed
}
