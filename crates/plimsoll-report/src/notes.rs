//! What the reader must know beside the answer, one line each.

use plimsoll_core::judge::Confidence;
use plimsoll_core::level::{LevelSummary, LevelVerdict, Load};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::run::Run;
use plimsoll_core::verdict::{self, Note, Verdict, VerdictKind};

use crate::lang::Lang;
use crate::load::load_text;
use crate::number::{MISSING, duration, figure, least_growth, signed_percent, trimmed};
use crate::words;

/// One note of a search.
pub(crate) fn note(note: &Note, run: &Run, lang: Lang) -> String {
    match (note, lang) {
        (Note::DiminishingReturns { from_streams }, Lang::En) => format!(
            "From {from_streams} streams on throughput grows by less than {} % per doubling.",
            least_growth(run)
        ),
        (Note::DiminishingReturns { from_streams }, Lang::Zh) => format!(
            "超过 {from_streams} 路后，并发每翻一倍，吞吐增长不到 {} %。",
            least_growth(run)
        ),
        (Note::NotMonotone { failed, passed }, _) => {
            let (failed, passed) = (load_text(*failed, lang), load_text(*passed, lang));
            lang.pick(
                format!(
                    "Not monotone: {failed} failed, yet {passed} passed. The answer is the first \
                     crossing."
                ),
                format!("结果不单调：{failed}超标，而更高的 {passed}达标。结论取第一处越限。"),
            )
        }
        (Note::BudgetSpent, _) => {
            let budget_s = run.plan.search().map(|search| search.budget_s);
            let budget = budget_s.map_or_else(|| MISSING.to_owned(), |s| duration(s, lang));
            if run.plan.tiers().len() > 1 {
                return lang.pick(
                    format!("The search ended because this tier's share of {budget} was over."),
                    format!("总时间（{budget}）中分给这一等级的部分用完，搜索随之结束。"),
                );
            }
            let more = more_time(run, lang);
            lang.pick(
                format!("The search ended because its time of {budget} was over.{more}"),
                format!("搜索因时间预算（{budget}）用完而结束。{more}"),
            )
        }
        (Note::StartedAt { streams }, _) => lang.pick(
            format!("Between 1 and {streams} streams nothing was tested."),
            format!("1 路与 {streams} 路之间没有测试。"),
        ),
        (Note::NotRefined { low, high }, _) => not_refined(*low, *high, lang),
        (other, _) => fixed(other, lang).to_owned(),
    }
}

/// Where the edge of a run that was judged again lies, as far as its levels go.
fn not_refined(low: Option<Load>, high: Option<Load>, lang: Lang) -> String {
    let text = |load: Option<Load>| load.map(|load| load_text(load, lang));
    match (text(low), text(high)) {
        (None, Some(high)) => lang.pick(
            format!("Even the level at {high} looks broken, and was not held for this SLO."),
            format!("{high}看来就已超标，但当时没有为这组目标保持足够久。"),
        ),
        (Some(low), Some(high)) => lang.pick(
            format!(
                "The new edge lies between {low} and {high}, and was not refined for this SLO."
            ),
            format!("新的边界在 {low}与 {high}之间，当时没有为这组目标在其间细测。"),
        ),
        (None, None) => lang.pick(
            "The levels of the run say nothing of this SLO.".to_owned(),
            "已有的各档不能说明这组目标是否满足。".to_owned(),
        ),
        (Some(low), None) => lang.pick(
            format!("Nothing breaks this SLO up to {low}; the run has nothing above."),
            format!("到 {low}为止都没有超标；更高的负载当时没有测。"),
        ),
    }
}

/// Notes without a number.
fn fixed(note: &Note, lang: Lang) -> &'static str {
    match note {
        Note::Interrupted => lang.pick(
            "The search was interrupted; this is what it had.",
            "搜索被中断，结果只含中断前的数据。",
        ),
        Note::NoUsage => lang.pick(
            "The server reports no token usage: tokens are counted by stream events, so token \
             figures are rough.",
            "服务端不返回 token 用量（usage）：token 按流式事件计数，相关数字较粗略。",
        ),
        Note::ShortAnswers => lang.pick(
            "The server does not keep to the output length: answers are shorter than asked.",
            "服务端没有按要求的长度输出：回答偏短。",
        ),
        Note::CalibratedPrompts => lang.pick(
            "Prompts are text whose length was calibrated, not token ids: input lengths are \
             approximate.",
            "提示词是按长度校准的文本，不是 token id：输入长度为近似值。",
        ),
        Note::NoServerMetrics => lang.pick(
            "The server offers no metrics that are known here: a cause comes from the answers alone.",
            "服务端没有可识别的监控指标：原因只能从应答本身判断。",
        ),
        Note::Hysteresis {
            worse_from_above: true,
        } => lang.pick(
            "The server remembers: the same loads break more often when it comes from a higher \
             one. After an overload it needs time, or a restart.",
            "服务端有记忆：从更高负载降下来时，同样的负载更容易超标。过载之后需要时间恢复，或重启。",
        ),
        Note::Hysteresis {
            worse_from_above: false,
        } => lang.pick(
            "The server remembers: the same loads break more often when it comes from a lower one. \
             It may need a warm-up.",
            "服务端有记忆：从更低负载升上来时，同样的负载更容易超标。可能需要预热。",
        ),
        Note::DiminishingReturns { .. }
        | Note::NotMonotone { .. }
        | Note::BudgetSpent
        | Note::NotRefined { .. }
        | Note::StartedAt { .. } => "",
    }
}

/// What a longer search would bring, and how to go on with this one; empty where it would not.
fn more_time(run: &Run, lang: Lang) -> String {
    const STEP_MIN: u64 = 5;
    let capacity = run.verdict.as_ref().and_then(|verdict| verdict.capacity);
    let missing = capacity.and_then(|found| verdict::more_time(&run.levels, &found));
    missing.map_or_else(String::new, |missing| {
        let minutes = missing.as_secs().div_ceil(60 * STEP_MIN) * STEP_MIN;
        lang.pick(
            format!(
                " Some {minutes} min more would narrow the interval to ±5 %: --resume RUN --budget \
                 +{minutes}m."
            ),
            format!(
                "再测约 {minutes} 分钟，区间可收窄到 ±5 %：--resume RUN --budget +{minutes}m。"
            ),
        )
    })
}

/// One line for each load of which no visit could be counted, with the latest reason.
pub(crate) fn void_levels(run: &Run, lang: Lang) -> Vec<String> {
    let mut latest: Vec<&LevelSummary> = Vec::new();
    for level in run
        .levels
        .iter()
        .filter(|one| one.verdict == LevelVerdict::Void)
    {
        latest.retain(|one| one.load != level.load);
        latest.push(level);
    }
    latest
        .iter()
        .map(|level| void_level(run, level, lang))
        .collect()
}

fn void_level(run: &Run, level: &LevelSummary, lang: Lang) -> String {
    let of_load = || run.levels.iter().filter(|one| one.load == level.load);
    let is_void = |one: &&LevelSummary| one.verdict == LevelVerdict::Void;
    let (visits, all) = (of_load().filter(is_void).count(), of_load().count());
    let load = load_text(level.load, lang);
    let why = level.reason.as_ref().map(|why| words::reason(why, lang));
    if visits < all {
        let why_en = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        let why_zh = why.as_ref().map_or(String::new(), |why| format!("：{why}"));
        return lang.pick(
            format!("Of {all} visits at {load} {visits} are void and do not count{why_en}."),
            format!("{load}这一档测了 {all} 次，其中 {visits} 次作废、不计入{why_zh}。"),
        );
    }
    let visits_en = if visits > 1 {
        format!(", {visits} visits,")
    } else {
        String::new()
    };
    let visits_zh = if visits > 1 {
        format!("测了 {visits} 次都")
    } else {
        String::new()
    };
    lang.pick(
        format!(
            "The level at {load}{visits_en} is void, so it says nothing of the server{}.",
            why.as_ref().map_or(String::new(), |why| format!(": {why}"))
        ),
        format!(
            "{load}这一档{visits_zh}作废，不能说明服务端的情况{}。",
            why.as_ref().map_or(String::new(), |why| format!("：{why}"))
        ),
    )
}

pub(crate) fn interval(run: &Run, verdict: &Verdict, lang: Lang) -> Option<String> {
    let is_printed = verdict.answer().is_some()
        && !matches!(
            verdict.kind,
            VerdictKind::DiminishingReturns | VerdictKind::ResourcesExhausted
        );
    let share = trimmed(run.plan.confidence.two_sided() * 100.0);
    let of = match run.plan.unit() {
        LoadUnit::Streams => lang.pick("number of streams", "并发路数"),
        LoadUnit::Users => lang.pick("number of users", "用户数"),
        LoadUnit::RatePerS => lang.pick("arrival rate", "到达速率"),
    };
    is_printed.then(|| {
        lang.pick(
            format!(
                "The {share} % belongs to the interval of the {of}, for this server as it is now; a \
                 restart or another hour can move it."
            ),
            format!(
                "{share} % 是{of}区间的置信度，只对服务端当前的状态成立；重启或换个时段都可能变化。"
            ),
        )
    })
}

/// With think time the loads are users.
pub(crate) fn think_time(run: &Run, verdict: &Verdict, lang: Lang) -> Option<String> {
    let think_s = run.plan.think_time_s?;
    let think = duration(think_s, lang);
    let in_flight = verdict.answer().and_then(|capacity| {
        let at = |level: &&LevelSummary| level.load == capacity.at;
        let level = run.levels.iter().rev().find(at)?;
        Some(figure(level.client.achieved_concurrency?))
    });
    let in_flight = in_flight.map_or(String::new(), |in_flight| {
        lang.pick(
            format!(" At the capacity {in_flight} are in flight on the average."),
            format!("在上述容量下，平均在途 {in_flight} 路。"),
        )
    });
    Some(lang.pick(
        format!(
            "Each stream waits {think} on the average before its next request: the numbers of \
             streams are users, not requests in flight.{in_flight}"
        ),
        format!("每一路在两次请求之间平均停顿 {think}：这里的路数是用户数，而不是在途请求数。{in_flight}"),
    ))
}

/// How much depends on the capacity being right.
pub(crate) fn steepness(verdict: &Verdict, lang: Lang) -> Option<String> {
    let edge = verdict.edge?;
    let objective = words::objective_name(&edge.objective, lang);
    let change = signed_percent(edge.change_for_5_percent_ratio);
    (verdict.kind == VerdictKind::Capacity).then(|| {
        lang.pick(
            format!("At the limit, 5 % more load moves {objective} by {change} %."),
            format!("在容量处，负载每增加 5 %，{objective} 变化 {change} %。"),
        )
    })
}

pub(crate) fn screened(run: &Run, lang: Lang) -> Option<String> {
    let is_used = run
        .levels
        .iter()
        .any(|level| level.verdict == LevelVerdict::Screened);
    let text = lang.pick(
        "Screened: a short look that found nothing against the level. Not a pass.",
        "初筛通过：短时测试未见异常，不等于达标。",
    );
    is_used.then(|| text.to_owned())
}

pub(crate) fn level_time(run: &Run, verdict: &Verdict, lang: Lang) -> String {
    let load = duration(verdict.load_time_s, lang);
    let levels = run.levels.len();
    let levels = lang.pick(
        format!("{levels} {}", if levels == 1 { "level" } else { "levels" }),
        levels.to_string(),
    );
    let level_time = run.plan.search().and_then(|search| search.level_time_s);
    let hold = level_time.map(|time| figure_or_time(time, lang));
    match (lang, hold) {
        (Lang::En, Some(hold)) => {
            format!("{levels}, {load} under load; each held for {hold} at most.")
        }
        (Lang::En, None) => format!(
            "{levels}, {load} under load; how long each is held follows from its request time."
        ),
        (Lang::Zh, Some(hold)) => {
            format!("共测 {levels} 档，加压 {load}；每档最长 {hold}。")
        }
        (Lang::Zh, None) => {
            format!("共测 {levels} 档，加压 {load}；每档时长由请求耗时决定。")
        }
    }
}

/// Times below 10 s keep a decimal.
fn figure_or_time(seconds: f64, lang: Lang) -> String {
    if seconds < 10.0 {
        format!("{}{}", figure(seconds), lang.pick(" s", " 秒"))
    } else {
        duration(seconds, lang)
    }
}

/// How levels were carried and judged, where that is not as usual.
pub(crate) fn settings(run: &Run, lang: Lang) -> impl Iterator<Item = String> {
    let burst = run.plan.burst.then(|| {
        lang.pick(
            "New streams start all at once (--burst): the burst of their first prompts is in the \
             figures of each level that adds many.",
            "新增的并发流同时开始（--burst）：一次增加很多路时，首批提示词扎堆造成的影响会计入该档的数字。",
        )
        .to_owned()
    });
    let confidence = (run.plan.confidence != Confidence::default()).then(|| {
        let share = trimmed(run.plan.confidence.two_sided() * 100.0);
        lang.pick(
            format!("Levels are decided at {share} % confidence, two-sided."),
            format!("各档按 {share} % 的双侧置信度判定。"),
        )
    });
    burst.into_iter().chain(confidence)
}

/// What the server does not take of a request, so that it was not sent; `None` where it takes all.
pub(crate) fn left_out(run: &Run, lang: Lang) -> Option<String> {
    let left_out = &run.server.left_out;
    let names: Vec<&str> = left_out.iter().map(|one| one.name()).collect();
    let text = lang.pick(
        format!(
            "The server does not take {}: requests went without.",
            names.join(", ")
        ),
        format!("服务不接受 {}：请求里没有发送。", names.join("、")),
    );
    (!left_out.is_empty()).then_some(text)
}

/// Whose latency is in the figures as well.
pub(crate) fn through_proxy(run: &Run, lang: Lang) -> Option<String> {
    let proxy = run.plan.proxy.as_ref()?;
    Some(lang.pick(
        format!("All requests went through the proxy {proxy}: its time is in every figure."),
        format!("所有请求都经过代理 {proxy}：各项数字都包含它的耗时。"),
    ))
}
