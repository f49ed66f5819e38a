//! The answer in a few sentences that can be acted on: what it carries, what broke first and why,
//! the throughput there, and what to set in production.

use plimsoll_core::level::{LevelVerdict, Load};
use plimsoll_core::run::Run;
use plimsoll_core::verdict::{Capacity, Cause, CauseKind, Note, Verdict, VerdictKind};

use crate::lang::Lang;
use crate::number::{figure, percent, trimmed};
use crate::words;

/// The answer of a run, without markup.
pub fn sentence(run: &Run, verdict: &Verdict, lang: Lang) -> String {
    let answer = Answer { run, verdict, lang };
    let parts: Vec<String> = [
        Some(answer.head()),
        answer.broken(),
        answer.cause(),
        answer.rates(),
        Some(answer.advice()),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.join(lang.pick(" ", ""))
}

struct Answer<'a> {
    run: &'a Run,
    verdict: &'a Verdict,
    lang: Lang,
}

impl Answer<'_> {
    /// How many streams it carries.
    fn head(&self) -> String {
        let within = self.within();
        let zh = self.lang == Lang::Zh;
        match (self.verdict.kind, self.verdict.capacity) {
            (VerdictKind::BelowFirst, _) => self.below_first(&within),
            (VerdictKind::ClientLimited, found) => self.client_limited(found, &within),
            (VerdictKind::ServerGone, found) => self.server_gone(found, &within),
            (VerdictKind::Inconclusive, found) => self.inconclusive(found, &within),
            (_, None) if zh => format!("未测出满足{within}的并发路数。"),
            (_, None) => format!("No load tested is known to be within {within}."),
            (VerdictKind::DiminishingReturns, Some(found)) => {
                self.diminishing_returns(found.streams, &within)
            }
            (VerdictKind::AboveLast, Some(found)) if zh => format!(
                "至少可承载 {} 路并发{}，满足{within}；测到最高一档仍未超标。",
                found.streams,
                self.interval(found)
            ),
            (VerdictKind::AboveLast, Some(found)) => format!(
                "Carries at least {}{} within {within}: nothing broke up to the last level.",
                streams_en(found.streams),
                self.interval(found)
            ),
            (_, Some(found)) if zh => format!(
                "可承载 {} 路并发{}，满足{within}。",
                found.streams,
                self.interval(found)
            ),
            (_, Some(found)) => format!(
                "Carries {}{} within {within}.",
                streams_en(found.streams),
                self.interval(found)
            ),
        }
    }

    fn diminishing_returns(&self, streams: u32, within: &str) -> String {
        let growth = percent(self.run.plan.rules.least_growth);
        match self.lang {
            Lang::En => format!(
                "Carries {} within {within}; from {streams} on throughput grows by less than \
                 {growth} % per doubling: more streams only wait.",
                streams_en(streams)
            ),
            Lang::Zh => format!(
                "可承载 {streams} 路并发，满足{within}；超过 {streams} 路后，并发每翻一倍，\
                 吞吐增长不到 {growth} %，再加路数只会排队等待。"
            ),
        }
    }

    fn below_first(&self, within: &str) -> String {
        let first = self.verdict.broken_at_streams;
        let by = self.broken_by();
        match (self.lang, first, by) {
            (Lang::En, Some(first), Some(by)) => format!(
                "Even {first} {}, the lowest load tested, is not within {within}: {by} is broken.",
                if first == 1 { "stream" } else { "streams" }
            ),
            (Lang::En, ..) => format!("Even the lowest load tested is not within {within}."),
            (Lang::Zh, Some(first), Some(by)) => {
                format!("最低一档 {first} 路就已超标（{by}），无法满足{within}。")
            }
            (Lang::Zh, ..) => format!("最低一档就已超标，无法满足{within}。"),
        }
    }

    fn client_limited(&self, found: Option<Capacity>, within: &str) -> String {
        let at = self.verdict.broken_at_streams;
        let why = self.broken_by();
        let client = match self.lang {
            Lang::En => format!(
                "The client is the limit{}{}",
                at.map_or(String::new(), |at| format!(" at {at}")),
                why.map_or(String::new(), |why| format!(" ({why})"))
            ),
            Lang::Zh => format!(
                "{}先到极限的是压测客户端{}",
                at.map_or(String::new(), |at| format!("到 {at} 路时，")),
                why.map_or(String::new(), |why| format!("（{why}）"))
            ),
        };
        let text = match (self.lang, found) {
            (Lang::En, Some(found)) => format!(
                "{client}; the server carries at least {}{} within {within}.",
                found.streams,
                self.interval(found)
            ),
            (Lang::En, None) => format!("{client}; what the server carries is not known."),
            (Lang::Zh, Some(found)) => format!(
                "{client}；服务端至少可承载 {} 路{}，满足{within}。",
                found.streams,
                self.interval(found)
            ),
            (Lang::Zh, None) => format!("{client}；服务端能承载多少路尚不清楚。"),
        };
        let way_out = self.lang.pick(
            " Give the client more cores, or more machines.",
            "请给客户端更多核，或增加压测机器。",
        );
        format!("{text}{way_out}")
    }

    fn server_gone(&self, found: Option<Capacity>, within: &str) -> String {
        let at = self.verdict.broken_at_streams.unwrap_or_default();
        let start = self.lang.pick(
            format!(
                "The server stopped taking connections at {}: no answer",
                streams_en(at)
            ),
            format!("到 {at} 路时服务端不再接受连接，没有结论"),
        );
        match (self.lang, found) {
            (Lang::En, Some(found)) => {
                format!(
                    "{start}. Up to {} nothing contradicted {within}.",
                    found.streams
                )
            }
            (Lang::Zh, Some(found)) => {
                format!("{start}。此前到 {} 路为止未见违反{within}。", found.streams)
            }
            (_, None) => format!("{start}{}", self.lang.pick(".", "。")),
        }
    }

    fn inconclusive(&self, found: Option<Capacity>, within: &str) -> String {
        let notes = &self.verdict.notes;
        let start = if notes.contains(&Note::Interrupted) {
            self.lang
                .pick("No answer, interrupted", "测试被中断，尚无结论")
        } else if notes.contains(&Note::BudgetSpent) {
            self.lang
                .pick("No answer in the time given", "时间用完，尚无结论")
        } else {
            self.lang.pick("No answer", "尚无结论")
        };
        match (self.lang, found) {
            (Lang::En, Some(found)) => format!(
                "{start}: up to {} nothing contradicts {within}, and the load that breaks it was \
                 not found.",
                streams_en(found.streams)
            ),
            (Lang::En, None) => {
                format!(
                    "{start}: the data do not decide whether any load tested is within {within}."
                )
            }
            (Lang::Zh, Some(found)) => format!(
                "{start}：到 {} 路为止未见违反{within}，超标的并发尚未找到。",
                found.streams
            ),
            (Lang::Zh, None) => {
                format!("{start}：现有数据无法判定任何一档是否满足{within}。")
            }
        }
    }

    /// The objectives, and whether they are the user's own.
    fn within(&self) -> String {
        let slo = words::slo(&self.run.plan.slo, self.lang);
        match (self.lang, self.run.plan.slo_given) {
            (Lang::En, true) => slo,
            (Lang::Zh, true) => format!(" {slo}"),
            (Lang::En, false) => format!("the default stop rules ({slo})"),
            (Lang::Zh, false) => format!("默认停止规则（{slo}）"),
        }
    }

    fn interval(&self, capacity: Capacity) -> String {
        // Where a stop rule ended the ramp the ends are rungs of the ladder, not an interval.
        if self.verdict.kind == VerdictKind::ResourcesExhausted {
            return String::new();
        }
        let Capacity { lower, upper, .. } = capacity;
        match (self.lang, upper) {
            (Lang::En, Some(upper)) if upper == lower => format!(" (95 % interval: only {lower})"),
            (Lang::En, Some(upper)) => format!(" (95 % interval {lower}–{upper})"),
            (Lang::En, None) => format!(" (95 % interval: {lower} or more)"),
            (Lang::Zh, Some(upper)) if upper == lower => format!("（95 % 置信区间只含 {lower}）"),
            (Lang::Zh, Some(upper)) => format!("（95 % 置信区间 {lower}–{upper}）"),
            (Lang::Zh, None) => format!("（95 % 置信区间为 {lower} 及以上）"),
        }
    }

    fn broken_by(&self) -> Option<String> {
        let text = self.verdict.broken_by.as_deref()?;
        Some(words::broken_by(text, &self.run.plan.slo, self.lang))
    }

    /// What broke first, where the head has not said it.
    fn broken(&self) -> Option<String> {
        let at = self.verdict.broken_at_streams?;
        let by = self.broken_by()?;
        match self.verdict.kind {
            VerdictKind::ResourcesExhausted => {
                let what = self
                    .verdict
                    .cause
                    .as_ref()
                    .map_or(by, |cause| self.cause_and_detail(cause));
                Some(self.lang.pick(
                    format!("At {at} the server runs out of resources: {what}."),
                    format!("到 {at} 路时服务端资源耗尽：{what}。"),
                ))
            }
            VerdictKind::Capacity | VerdictKind::Inconclusive if self.is_decided(at) => {
                Some(self.lang.pick(
                    format!("First broken at {at}: {by}."),
                    format!("到 {at} 路时首先超标的是 {by}。"),
                ))
            }
            VerdictKind::Capacity | VerdictKind::Inconclusive => Some(self.lang.pick(
                format!("First broken at {at}, as far as seen and not decided: {by}."),
                format!("到 {at} 路时看来首先超标的是 {by}，但尚未判定。"),
            )),
            _ => None,
        }
    }

    /// Whether a level of that load failed, rather than only looked like it.
    fn is_decided(&self, streams: u32) -> bool {
        self.run.levels.iter().any(|level| {
            level.load == Load::Streams(streams) && level.verdict == LevelVerdict::Fail
        })
    }

    fn cause(&self) -> Option<String> {
        let kind = self.verdict.kind;
        let Some(cause) = &self.verdict.cause else {
            let is_asked = matches!(kind, VerdictKind::Capacity | VerdictKind::BelowFirst);
            return is_asked.then(|| self.lang.pick("Cause not clear.", "原因不明。").to_owned());
        };
        // These have said it already.
        if matches!(
            kind,
            VerdictKind::ClientLimited | VerdictKind::ResourcesExhausted | VerdictKind::ServerGone
        ) {
            return None;
        }
        let by_latencies = !cause.from_metrics
            && matches!(cause.kind, CauseKind::QueueOrPrefill | CauseKind::Decode);
        let start = match (self.lang, by_latencies) {
            (Lang::En, false) => "Cause: ",
            (Lang::En, true) => "Cause, by the latencies alone: ",
            (Lang::Zh, false) => "原因：",
            (Lang::Zh, true) => "原因（仅凭时延推断）：",
        };
        Some(format!(
            "{start}{}{}",
            self.cause_and_detail(cause),
            self.lang.pick(".", "。")
        ))
    }

    fn cause_and_detail(&self, cause: &Cause) -> String {
        cause_text(cause, self.lang)
    }

    /// Throughput at the capacity.
    fn rates(&self) -> Option<String> {
        let at = self.verdict.capacity?.streams;
        let (requests, tokens) = self
            .lang
            .pick((" req/s", " tok/s"), (" 请求/秒", " token/秒"));
        let rates: Vec<String> = [
            (self.verdict.request_per_s, requests),
            (self.verdict.output_tokens_per_s, tokens),
        ]
        .into_iter()
        .filter_map(|(rate, unit)| Some(format!("{}{unit}", figure(rate?))))
        .collect();
        let rates = (!rates.is_empty()).then(|| rates.join(self.lang.pick(" and ", "、")))?;
        Some(
            self.lang
                .pick(format!("{rates} at {at}."), format!("{at} 路时 {rates}。")),
        )
    }

    /// What to set in production, or why nothing can be advised.
    fn advice(&self) -> String {
        let Some(cap) = self.verdict.gateway_cap else {
            return self.no_cap().to_owned();
        };
        let cap = cap.streams;
        match (self.lang, self.verdict.planned_mean) {
            (Lang::En, Some(mean)) => format!(
                "Cap the gateway at {cap}; plan for a mean of {} ({} %).",
                trimmed(mean.streams),
                percent(mean.cap_ratio)
            ),
            (Lang::En, None) => format!("Cap the gateway at {cap}."),
            (Lang::Zh, Some(mean)) => format!(
                "网关上限设为 {cap} 路；平均并发按 {} 路规划（上限的 {} %）。",
                trimmed(mean.streams),
                percent(mean.cap_ratio)
            ),
            (Lang::Zh, None) => format!("网关上限设为 {cap} 路。"),
        }
    }

    fn no_cap(&self) -> &'static str {
        match (self.verdict.kind, self.verdict.capacity) {
            (VerdictKind::BelowFirst, _) => self.lang.pick(
                "No gateway cap to advise: ease the objectives, shorten the requests or add hardware.",
                "给不出网关上限建议：请放宽目标、缩短请求或增加硬件。",
            ),
            (_, Some(_)) => self.lang.pick(
                "No gateway cap to advise yet: the data leave the lower end of the interval open.",
                "暂时给不出网关上限建议：现有数据定不出置信区间的下端。",
            ),
            (_, None) => self.lang.pick(
                "No gateway cap to advise: no load is known to hold.",
                "暂时给不出网关上限建议：还没有确认能承载的并发。",
            ),
        }
    }
}

fn streams_en(streams: u32) -> String {
    match streams {
        1 => "1 concurrent stream".to_owned(),
        _ => format!("{streams} concurrent streams"),
    }
}

/// A cause with its detail.
pub(crate) fn cause_text(cause: &Cause, lang: Lang) -> String {
    let name = match cause.kind {
        CauseKind::SequenceCap => lang.pick(
            "the engine's cap on running sequences",
            "达到引擎同时运行的序列数上限",
        ),
        CauseKind::KvCache => lang.pick("KV cache full", "KV 缓存已满"),
        CauseKind::QueueOrPrefill => lang.pick(
            "requests wait before their first token (queue or prefill)",
            "请求卡在首字之前（排队或预填充）",
        ),
        CauseKind::Decode => lang.pick("decode", "解码（decode）随并发变慢"),
        CauseKind::Failures => lang.pick("requests fail", "请求失败"),
        CauseKind::RateLimit => lang.pick("rate limit", "服务端限流"),
        CauseKind::Client => lang.pick("the client", "压测客户端"),
    };
    match &cause.detail {
        Some(detail) => {
            let comma = lang.pick(", ", "，");
            format!("{name}{comma}{}", words::detail(detail, lang))
        }
        None => name.to_owned(),
    }
}
