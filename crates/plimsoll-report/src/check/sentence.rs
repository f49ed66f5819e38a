//! The answer of a check: does the load hold, why not, and how many streams it takes.

use plimsoll_core::check::{Check, CheckVerdict};
use plimsoll_core::level::Reason;

use crate::lang::Lang;
use crate::load::load_text;
use crate::number::{duration, figure, so_many, trimmed};
use crate::words;

/// Why it broke, as far as is known.
pub(crate) fn cause(check: Check<'_>, lang: Lang) -> Option<String> {
    let cause = check.answer.cause.as_ref()?;
    Some(words::cause(cause, lang))
}

/// Whether the load holds, in a sentence or two without a full stop at the end.
pub(crate) fn verdict(check: Check<'_>, lang: Lang) -> String {
    let load = load(check, lang);
    let slo = words::slo(&check.run.plan.slo, lang);
    let n = ended(check);
    let held = check
        .level
        .window
        .map_or(0.0, |window| window.to_s - window.from_s);
    let held = duration(held, lang);
    let text = match check.answer.verdict {
        CheckVerdict::Holds => lang.pick(
            format!("Holds at {load}: {slo}, decided at 95 % by {} in {held}.", so_many(n, "request")),
            format!("{load}扛得住：{slo}，由 {held}内的 {n} 个请求以 95 % 的置信度判定。"),
        ),
        CheckVerdict::NotContradicted => lang.pick(
            format!("Not contradicted at {load} by {} in {held}: nothing breaks {slo}, but a pass is not decided.", so_many(n, "request")),
            format!("{load}未见超标：{held}内的 {n} 个请求没有违反目标（{slo}），但还不足以判定达标。"),
        ),
        CheckVerdict::Broken => {
            let by = check.answer.broken_by.as_ref();
            let by = by.map_or(String::new(), |by| words::reason(by, lang));
            lang.pick(
                format!("Does not hold at {load}: {by} is broken, decided at 95 % by {} in {held}.", so_many(n, "request")),
                format!("{load}扛不住：{by} 未达到，由 {held}内的 {n} 个请求以 95 % 的置信度判定。"),
            )
        }
        CheckVerdict::Unstable => unstable(check, &load, lang),
        CheckVerdict::Inconclusive => lang.pick(
            format!("Not decided at {load}. {}", doubt(check, lang)),
            format!("{load}未能判定。{}", doubt(check, lang)),
        ),
        CheckVerdict::Void => {
            let why = check.level.reason.as_ref();
            let in_doubt = matches!(why, Some(Reason::InDoubt { .. }));
            let why = why.map_or(String::new(), |why| words::reason(why, lang));
            if in_doubt {
                return lang.pick(
                    format!("Not decided at {load}: {why}"),
                    format!("{load}未能判定：{why}"),
                );
            }
            lang.pick(
                format!("The load of {load} was not delivered as asked, so nothing is said of the server: {why}."),
                format!("{load}的负载未能如实施加，不能说明服务端的情况：{why}。"),
            )
        }
        CheckVerdict::ServerGone => lang.pick(
            format!("The server is gone at {load}: {}.", words::gone(check.level.silence.as_ref(), lang)),
            format!("{load}时服务端已不可用：{}。", words::gone(check.level.silence.as_ref(), lang)),
        ),
    };
    text.trim_end_matches(['.', '。']).to_owned()
}

/// The load, with its cap.
fn load(check: Check<'_>, lang: Lang) -> String {
    let load = load_text(check.hold.load, lang);
    match check.hold.most_in_flight {
        Some(cap) => lang.pick(
            format!("{load} with at most {cap} in flight"),
            format!("{load}（在途不超过 {cap} 个）"),
        ),
        None => load,
    }
}

fn unstable(check: Check<'_>, load: &str, lang: Lang) -> String {
    let (first, last) = check.level.stability.map_or((0.0, 0.0), |stability| {
        (stability.trend.first_mean, stability.trend.last_mean)
    });
    let (first, last) = (figure(first), figure(last));
    let ended = check.answer.flow.map_or(0.0, |flow| flow.ended_per_s);
    let ended = figure(ended);
    lang.pick(
        format!("Not carried at {load}: requests pile up, from {first} to {last} at a time, while {ended} req/s end."),
        format!("{load}超出服务能力：请求不断堆积，未完成的由平均 {first} 个增至 {last} 个，每秒只完成 {ended} 个。"),
    )
}

/// What keeps an undecided check from an answer.
fn doubt(check: Check<'_>, lang: Lang) -> String {
    let level = &check.level;
    let looks = level
        .objectives
        .iter()
        .find(|one| one.looks_broken() == Some(true));
    match (&level.reason, looks) {
        (
            Some(
                reason
                @ (Reason::Unanswered { .. } | Reason::Quiet { .. } | Reason::InDoubt { .. }),
            ),
            _,
        ) => {
            let why = words::reason(reason, lang);
            lang.pick(format!("The reason: {why}."), format!("原因：{why}。"))
        }
        (Some(reason), _) => {
            let why = words::reason(reason, lang);
            lang.pick(
                format!("It says too little: {why}."),
                format!("信息太少：{why}。"),
            )
        }
        (None, Some(result)) => {
            let by = words::objective(&result.objective, lang);
            lang.pick(
                format!("{by} looks broken, and {} requests are too few to tell. Hold it longer with --for.", ended(check)),
                format!("{by} 看似超标，但 {} 个请求不足以判定。可用 --for 延长时间。", ended(check)),
            )
        }
        (None, None) => lang
            .pick(
                "Too few requests ended. Hold it longer with --for.",
                "结束的请求太少。可用 --for 延长时间。",
            )
            .to_owned(),
    }
}

/// How many streams a rate takes, or which rate streams make; `None` where the load does not hold.
pub(crate) fn takes(check: Check<'_>, lang: Lang) -> Option<String> {
    let flow = check.answer.flow.filter(|_| check.answer.verdict.holds())?;
    if check.hold.load.rate_per_s().is_none() {
        let rate = figure(flow.ended_per_s);
        return Some(lang.pick(format!("{rate} req/s"), format!("吞吐 {rate} 请求/秒")));
    }
    let _ = flow.request_time_s?;
    let (mean, p99) = (trimmed(flow.in_flight.mean), flow.in_flight.p99);
    Some(lang.pick(
        format!("{mean} streams on average, no more than {p99} for 99 % of the time"),
        format!("平均 {mean} 路并发，99 % 的时间不超过 {p99} 路"),
    ))
}

fn ended(check: Check<'_>) -> u64 {
    check.level.requests.completed_in_window + check.level.requests.failed_in_window
}
