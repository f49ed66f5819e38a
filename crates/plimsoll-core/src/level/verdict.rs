//! What a level says, by its objectives and by how its load was delivered.

use super::client;
use super::{Hold, LevelPlan, LevelSummary, LevelVerdict, Reason};
use crate::judge::{Decision, ObjectiveResult, at_both_ends, conjunction};
use crate::time::Offset;

/// More requests than this without the metric, and an objective on it says nothing.
const MOST_ABSENT: f64 = 0.2;

/// The level's verdict, and the objective or the fault behind it.
pub(super) fn verdict(
    plan: &LevelPlan,
    summary: &LevelSummary,
    (is_screened, quiet_since): (bool, Option<Offset>),
) -> (LevelVerdict, Option<Reason>) {
    let said = || match quiet_since {
        Some(since) => quiet(since),
        None => delivered(plan.hold, summary, is_screened),
    };
    match void_reason(plan, summary) {
        // What fewer streams than asked break, all of them break.
        Some(reason) if reason.is_too_few_streams() && said().0 == LevelVerdict::Fail => said(),
        Some(reason) => (LevelVerdict::Void, Some(reason)),
        None => said(),
    }
}

/// What a level says at whose end nothing came of what was sent: it may be the load, and it may be that
/// there is no server any more.
pub(super) fn quiet(since: Offset) -> (LevelVerdict, Option<Reason>) {
    let since_s = since.as_secs_f64();
    (LevelVerdict::Undecided, Some(Reason::Quiet { since_s }))
}

/// What a level says whose load was delivered as asked: void where it says the contrary at the two
/// ends of its stamps, and not decided where one of them decides.
pub(super) fn delivered(
    hold: Hold,
    summary: &LevelSummary,
    is_screened: bool,
) -> (LevelVerdict, Option<Reason>) {
    let [best, worst] = at_both_ends(&summary.objectives)
        .map(|objectives| read(hold, summary, &objectives, is_screened));
    if best.0 == worst.0 {
        return worst;
    }
    let reason = in_doubt(&summary.objectives).or(worst.1);
    if [best.0, worst.0].contains(&LevelVerdict::Undecided) {
        (LevelVerdict::Undecided, reason)
    } else {
        (LevelVerdict::Void, reason)
    }
}

/// The first objective that comes to something else at the two ends of the stamps.
fn in_doubt(objectives: &[ObjectiveResult]) -> Option<Reason> {
    objectives.iter().find_map(|one| {
        let doubt = one.doubt?;
        let differs = doubt.best.decision != doubt.worst.decision
            || doubt.best.screen_breaks != doubt.worst.screen_breaks;
        differs.then_some(Reason::InDoubt {
            objective: one.objective,
            best: doubt.best.value,
            worst: doubt.worst.value,
        })
    })
}

/// What a level says by its objectives as they are at one end of the stamps.
fn read(
    hold: Hold,
    summary: &LevelSummary,
    objectives: &[ObjectiveResult],
    is_screened: bool,
) -> (LevelVerdict, Option<Reason>) {
    let broken = |result: &&ObjectiveResult| match hold {
        Hold::Screen | Hold::Short => result.screen_breaks || result.decision == Decision::Fail,
        Hold::Visit | Hold::Decide | Hold::Whole | Hold::Confirm | Hold::Requests(_) => {
            result.decision == Decision::Fail
        }
    };
    if let Some(result) = objectives.iter().find(broken) {
        return (LevelVerdict::Fail, Some(result.objective.into()));
    }
    if summary.is_unstable() {
        return (LevelVerdict::Fail, Some(Reason::Grows));
    }
    let ended = summary.requests.completed_in_window + summary.requests.failed_in_window;
    if summary.window.is_none() || ended == 0 {
        let reason = summary.unanswered().unwrap_or(Reason::NoRequestEnded);
        return (LevelVerdict::Undecided, Some(reason));
    }
    let unanswered = summary.unanswered();
    match (hold, conjunction(objectives)) {
        (_, Decision::Pass) if unanswered.is_some() => (LevelVerdict::Undecided, unanswered),
        (_, Decision::Pass) => (LevelVerdict::Pass, None),
        (Hold::Screen | Hold::Short, _) if is_screened => (LevelVerdict::Screened, None),
        (Hold::Screen | Hold::Short, _) => (LevelVerdict::Undecided, Some(Reason::NotScreened)),
        (Hold::Visit | Hold::Decide | Hold::Whole | Hold::Confirm | Hold::Requests(_), _) => {
            (LevelVerdict::Undecided, unanswered)
        }
    }
}

/// Why the level says nothing of the server; `None` if the load was delivered as asked.
fn void_reason(plan: &LevelPlan, summary: &LevelSummary) -> Option<Reason> {
    let shortfall = client::shortfall(plan, summary).map(Reason::from);
    shortfall.or_else(|| lack(&summary.objectives))
}

/// Which objective has too few requests with its metric.
pub(super) fn lack(objectives: &[ObjectiveResult]) -> Option<Reason> {
    let result = objectives.iter().find(|result| lacks_its_metric(result))?;
    Some(Reason::MetricAbsent {
        objective: result.objective,
        absent: result.absent,
        of: result.absent + result.n,
    })
}

/// Whether too many requests have no such value for the objective to say anything.
pub(super) fn lacks_its_metric(result: &ObjectiveResult) -> bool {
    result.absent as f64 > MOST_ABSENT * (result.absent + result.n) as f64
}
