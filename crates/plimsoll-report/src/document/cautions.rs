//! What must be known before the answer is used: one line each, the gravest first.

use plimsoll_core::level::{LevelSummary, LevelVerdict, Purpose};
use plimsoll_core::run::{Run, RunState};
use plimsoll_core::verdict::{Confirmed, Note, Verdict, VerdictKind};

use crate::alarms::{alarms, hanging};
use crate::answers::{answers, has_disbelieved, has_other_outputs};
use crate::history::history;
use crate::lang::Lang;
use crate::lengths::cannot_fix;
use crate::load::load_text;
use crate::notes;
use crate::number::{duration, so_many};
use crate::signals;

/// The cautions of a run; none where there is nothing to doubt.
pub(super) fn cautions(run: &Run, lang: Lang) -> Vec<String> {
    let Some(verdict) = &run.verdict else {
        return of_check(run, lang);
    };
    // What came says more than what preflight saw of one answer.
    let is_told = |note: &Note| match note {
        Note::ShortAnswers => has_other_outputs(run),
        Note::NoUsage => has_disbelieved(run),
        _ => false,
    };
    let doubts = verdict.notes.iter();
    let doubts = doubts.filter(|one| is_doubt(one) && !is_told(one));
    hanging(run, lang)
        .into_iter()
        .chain(doubts.map(|one| notes::note(one, run, lang)))
        .chain(unheld(run, verdict, lang))
        .chain(answers(run, lang))
        .chain(signals::disbelieved(run, lang))
        .chain(cannot_fix(run.server.endpoint, lang))
        .chain(notes::left_out(run, lang))
        .chain(history(run, lang))
        .chain(notes::void_levels(run, lang))
        .chain(alarms(run, lang))
        .chain(notes::settings(run, lang))
        .chain(notes::through_proxy(run, lang))
        .collect()
}

/// What must be known of a load that was held; its own reasons stand in the answer.
fn of_check(run: &Run, lang: Lang) -> Vec<String> {
    let cut = (run.state == RunState::Partial).then(|| {
        lang.pick(
            "The test was interrupted: this is what was seen until then.",
            "测试被中断：以下是中断前的情况。",
        )
        .to_owned()
    });
    cut.into_iter()
        .chain(hanging(run, lang))
        .chain(answers(run, lang))
        .chain(signals::disbelieved(run, lang))
        .chain(history(run, lang))
        .chain(cannot_fix(run.server.endpoint, lang))
        .chain(notes::left_out(run, lang))
        .chain(notes::settings(run, lang))
        .chain(notes::through_proxy(run, lang))
        .collect()
}

/// Whether a note changes what the answer is worth; the others are details.
pub(super) fn is_doubt(note: &Note) -> bool {
    match note {
        Note::NotMonotone { .. }
        | Note::Hysteresis { .. }
        | Note::BudgetSpent
        | Note::Interrupted
        | Note::NotRefined { .. }
        | Note::NoUsage
        | Note::ShortAnswers
        | Note::StartedAt { .. } => true,
        Note::DiminishingReturns { .. } | Note::CalibratedPrompts | Note::NoServerMetrics => false,
    }
}

/// That the load to set was not held itself, or broke when it was.
fn unheld(run: &Run, verdict: &Verdict, lang: Lang) -> Option<String> {
    let cap = verdict.recommended?.cap;
    if verdict.kind != VerdictKind::Capacity {
        return None;
    }
    let Some(held) = verdict.confirmed else {
        return Some(never_held(run, verdict, lang).to_owned());
    };
    let (at, time) = (load_text(held.load, lang), duration(held.held_s, lang));
    if held.verdict == LevelVerdict::Fail {
        return Some(lang.pick(
            format!("Held for {time}, {at} broke."),
            format!("{at}实测保持 {time}，超标。"),
        ));
    }
    if looks_broken(run, &held) {
        return Some(lang.pick(
            format!("Held for {time}, {at} looked broken, which is not decided."),
            format!("{at}实测保持 {time}，看似超标，尚不能判定。"),
        ));
    }
    let drifts = held.drifts.then(|| {
        lang.pick(
            format!("While {at} was held for {time}, latencies drifted."),
            format!("{at}实测保持 {time}期间，时延有漂移。"),
        )
    });
    drifts.or_else(|| (held.load != cap).then(|| other_held(&at, &time, held.requests, lang)))
}

/// More time helps only where it was the time that ended the search.
fn never_held(run: &Run, verdict: &Verdict, lang: Lang) -> &'static str {
    let is_wanted = run.plan.search().is_some_and(|search| search.confirm);
    let is_spent = verdict.notes.contains(&Note::BudgetSpent);
    if is_wanted && is_spent && run.rejudged.is_none() {
        lang.pick(
            "The cap itself was not held; give it more time with --budget.",
            "上限本身没有实测保持过；可用 --budget 延长测试时间。",
        )
    } else {
        lang.pick("The cap itself was not held.", "上限本身没有实测保持过。")
    }
}

/// Whether the hold speaks against its load, decided or not.
pub(super) fn looks_broken(run: &Run, held: &Confirmed) -> bool {
    let of_hold =
        |level: &&LevelSummary| level.purpose == Purpose::Confirm && level.load == held.load;
    let level = run.levels.iter().rev().find(of_hold);
    let is_bad = matches!(held.verdict, LevelVerdict::Fail | LevelVerdict::Void);
    is_bad || level.is_some_and(LevelSummary::is_broken)
}

fn other_held(at: &str, time: &str, requests: u64, lang: Lang) -> String {
    lang.pick(
        format!(
            "The cap itself was not held; the hold was at {at}, for {time}: nothing against it in \
             {}.",
            so_many(requests, "request")
        ),
        format!("上限本身没有实测保持过；{at}保持了 {time}，{requests} 个请求中未见超标。"),
    )
}
