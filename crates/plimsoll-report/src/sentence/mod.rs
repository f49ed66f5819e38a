//! The answer in a few sentences that can be acted on: what it carries, what broke first and why,
//! the throughput there, and what to set in production.

mod advice;
mod cause;
mod head;

use plimsoll_core::check::Check;
use plimsoll_core::level::{LevelSummary, LevelVerdict, Load};
use plimsoll_core::run::{Run, RunFile, Sentences};
use plimsoll_core::verdict::{Capacity, Verdict, VerdictKind};

use crate::check::sentences as check_sentences;
use crate::lang::Lang;
use crate::load::load_text;
use crate::number::{duration, figure, signed_percent};
use crate::words;

/// The answer of a run, without markup.
pub fn sentence(run: &Run, verdict: &Verdict, lang: Lang) -> String {
    let answer = Answer { run, verdict, lang };
    let parts: Vec<String> = [
        Some(answer.head()),
        answer.broken(),
        answer.cause(),
        answer.rates(),
        answer.steepness(),
        Some(answer.advice()),
        answer.confirmed(),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.join(lang.pick(" ", ""))
}

/// What is saved of a run: the run, and its answer in each language.
pub fn run_file(run: &Run) -> RunFile<'_> {
    let [en, zh] = [Lang::En, Lang::Zh].map(|lang| told(run, lang));
    let sentences = en.zip(zh).map(|(en, zh)| Sentences { en, zh });
    RunFile { run, sentences }
}

/// The answer of a search or of a check in words; `None` where there is none yet.
fn told(run: &Run, lang: Lang) -> Option<String> {
    if let Some(check) = Check::of(run) {
        return Some(check_sentences(check, lang).join(lang.pick(" ", "")));
    }
    let verdict = run.verdict.as_ref()?;
    Some(sentence(run, verdict, lang))
}

struct Answer<'a> {
    run: &'a Run,
    verdict: &'a Verdict,
    lang: Lang,
}

impl Answer<'_> {
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

    fn interval(&self, found: Capacity) -> String {
        // Where a stop rule ended the ramp the ends are rungs of the ladder, not an interval.
        if matches!(
            self.verdict.kind,
            VerdictKind::ResourcesExhausted | VerdictKind::FullBatch | VerdictKind::NotMonotone
        ) {
            return String::new();
        }
        let lower = found.lower.amount();
        match (self.lang, found.upper.map(Load::amount)) {
            (Lang::En, Some(upper)) if found.upper == Some(found.lower) => {
                format!(" (95 % interval: only {upper})")
            }
            (Lang::En, Some(upper)) => format!(" (95 % interval {lower}–{upper})"),
            (Lang::En, None) => format!(" (95 % interval: {lower} or more)"),
            (Lang::Zh, Some(upper)) if found.upper == Some(found.lower) => {
                format!("（95 % 置信区间只含 {upper}）")
            }
            (Lang::Zh, Some(upper)) => format!("（95 % 置信区间 {lower}–{upper}）"),
            (Lang::Zh, None) => format!("（95 % 置信区间为 {lower} 及以上）"),
        }
    }

    fn broken_by(&self) -> Option<String> {
        let by = self.verdict.broken_by.as_ref()?;
        Some(words::broken_by(by, self.lang))
    }

    /// What broke first, where the head has not said it.
    fn broken(&self) -> Option<String> {
        let level = self.verdict.broken_at?;
        let by = self.broken_by()?;
        let at = at_text(level, self.lang);
        match self.verdict.kind {
            VerdictKind::ResourcesExhausted => {
                let what = self
                    .verdict
                    .cause
                    .as_ref()
                    .map_or(by, |cause| words::cause(cause, self.lang));
                Some(self.lang.pick(
                    format!("At {at} the server runs out of resources: {what}."),
                    format!("到 {at}时服务端资源耗尽：{what}。"),
                ))
            }
            VerdictKind::Capacity | VerdictKind::NotMonotone | VerdictKind::Inconclusive
                if self.is_decided(level) =>
            {
                Some(self.lang.pick(
                    format!("First broken at {at}: {by}."),
                    format!("到 {at}时首先超标的是 {by}。"),
                ))
            }
            VerdictKind::Inconclusive if self.says_nothing(level) => Some(self.lang.pick(
                format!("Nothing is known at {at}: {by}."),
                format!("到 {at}时没有结论：{by}。"),
            )),
            VerdictKind::Capacity | VerdictKind::Inconclusive => Some(self.lang.pick(
                format!("First broken at {at}, as far as seen and not decided: {by}."),
                format!("到 {at}时看来首先超标的是 {by}，但尚未判定。"),
            )),
            _ => None,
        }
    }

    /// Whether a level of that load failed, rather than only looked like it.
    fn is_decided(&self, load: Load) -> bool {
        let mut levels = self.run.levels.iter();
        levels.any(|level| level.load == load && level.verdict == LevelVerdict::Fail)
    }

    /// Whether no level of that load shows anything of the server.
    fn says_nothing(&self, load: Load) -> bool {
        let mut levels = self.run.levels.iter().filter(|level| level.load == load);
        levels.all(LevelSummary::says_nothing)
    }

    /// Throughput at the capacity.
    fn rates(&self) -> Option<String> {
        let at = at_text(self.verdict.capacity?.at, self.lang);
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
                .pick(format!("{rates} at {at}."), format!("{at}时 {rates}。")),
        )
    }

    /// How much depends on the capacity being right.
    fn steepness(&self) -> Option<String> {
        let edge = self.verdict.edge?;
        let objective = words::objective_name(&edge.objective, self.lang);
        let change = signed_percent(edge.change_for_5_percent_ratio);
        (self.verdict.kind == VerdictKind::Capacity).then(|| {
            self.lang.pick(
                format!("There 5 % more load moves {objective} by {change} %."),
                format!("此处负载每增加 5 %，{objective} 变化 {change} %。"),
            )
        })
    }

    /// What the hold at the gateway cap showed.
    fn confirmed(&self) -> Option<String> {
        let held = self.verdict.confirmed?;
        let (at, time) = (
            at_text(held.load, self.lang),
            duration(held.held_s, self.lang),
        );
        let n = held.requests;
        let said = match held.verdict {
            LevelVerdict::Pass => self.lang.pick(
                format!("passed with {n} requests"),
                format!("{n} 个请求判定达标"),
            ),
            LevelVerdict::Fail => self.lang.pick(
                format!("broken within {n} requests"),
                format!("{n} 个请求内超标"),
            ),
            _ => self.lang.pick(
                format!("not contradicted by {n} requests"),
                format!("{n} 个请求中未见超标"),
            ),
        };
        let drift = match (held.drifts, self.lang) {
            (true, Lang::En) => "latencies drift",
            (false, Lang::En) => "no drift",
            (true, Lang::Zh) => "时延有漂移",
            (false, Lang::Zh) => "无漂移",
        };
        Some(self.lang.pick(
            format!("Held for {time} at {at}: {said}, {drift}."),
            format!("在 {at}下保持 {time}：{said}，{drift}。"),
        ))
    }
}

/// A load after "at": `48`, `20 req/s`; in Chinese with its unit and a space for what follows.
fn at_text(load: Load, lang: Lang) -> String {
    match (lang, load) {
        (Lang::En, Load::Streams(streams)) => streams.to_string(),
        _ => load_text(load, lang),
    }
}
