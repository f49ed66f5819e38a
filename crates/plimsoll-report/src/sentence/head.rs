//! The head of the answer: what the server carries, by the kind of the verdict.

use plimsoll_core::level::Load;
use plimsoll_core::verdict::{Capacity, Note, VerdictKind};

use super::{Answer, at_text};
use crate::lang::Lang;
use crate::load::load_text;
use crate::number::least_growth;

impl Answer<'_> {
    /// How many streams it carries.
    pub(super) fn head(&self) -> String {
        let within = self.within();
        let zh = self.lang == Lang::Zh;
        match (self.verdict.kind, self.verdict.capacity) {
            (VerdictKind::BelowFirst, _) => self.below_first(&within),
            (VerdictKind::ClientLimited, found) => self.client_limited(found, &within),
            (VerdictKind::ServerGone, found) => self.server_gone(found, &within),
            (VerdictKind::Inconclusive, found) => self.inconclusive(found, &within),
            (_, None) if zh => format!("未测出满足{within}的负载。"),
            (_, None) => format!("No load tested is known to be within {within}."),
            (VerdictKind::DiminishingReturns, Some(found)) => {
                self.diminishing_returns(found.at, &within)
            }
            (VerdictKind::FullBatch, Some(found)) => self.full_batch(found.at, &within),
            (VerdictKind::NotMonotone, Some(found)) => self.not_monotone(found.at, &within),
            (VerdictKind::AboveLast, Some(found)) if zh => format!(
                "至少可承载 {}{}，满足{within}；测到最高一档仍未超标。",
                carries(found.at, self.lang),
                self.interval(found)
            ),
            (VerdictKind::AboveLast, Some(found)) => format!(
                "Carries at least {}{} within {within}: nothing broke up to the last level.",
                carries(found.at, self.lang),
                self.interval(found)
            ),
            (_, Some(found)) if zh => format!(
                "可承载 {}{}，满足{within}。",
                carries(found.at, self.lang),
                self.interval(found)
            ),
            (_, Some(found)) => format!(
                "Carries {}{} within {within}.",
                carries(found.at, self.lang),
                self.interval(found)
            ),
        }
    }

    fn diminishing_returns(&self, load: Load, within: &str) -> String {
        let growth = least_growth(self.run);
        let (carried, from) = (carries(load, self.lang), at_text(load, self.lang));
        self.lang.pick(
            format!(
                "Carries {carried} within {within}; from {from} on throughput grows by less than \
                 {growth} % per doubling: more streams only wait."
            ),
            format!(
                "可承载 {carried}，满足{within}；超过 {from}后，并发每翻一倍，\
                 吞吐增长不到 {growth} %，再加路数只会排队等待。"
            ),
        )
    }

    fn full_batch(&self, load: Load, within: &str) -> String {
        let (carried, from) = (carries(load, self.lang), at_text(load, self.lang));
        self.lang.pick(
            format!(
                "The batch is full at {carried}: it is within {within} there, and more streams \
                 only wait for their first token, which these objectives do not limit. Beyond \
                 {from} there is no edge to find; add an objective on ttft to find one."
            ),
            format!(
                "{carried}时批次已满：此时满足{within}，再加路数只是排队等首字，而这些目标并不限制首字时延。\
                 超过 {from}没有可找的边界；如需找到，请加上 ttft 目标。"
            ),
        )
    }

    fn not_monotone(&self, load: Load, within: &str) -> String {
        let carried = carries(load, self.lang);
        self.lang.pick(
            format!(
                "Not monotone: carries {carried} within {within}, breaks above that, and holds \
                 again higher up; each was seen twice. The lower load counts."
            ),
            format!(
                "结果不单调：{carried}以内满足{within}，再往上超标，更高处又达标，且都复测过。以较低者为准。"
            ),
        )
    }

    fn below_first(&self, within: &str) -> String {
        let first = self
            .verdict
            .broken_at
            .map(|first| load_text(first, self.lang));
        let by = self.broken_by();
        match (self.lang, first, by) {
            (Lang::En, Some(first), Some(by)) => format!(
                "Even {first}, the lowest load tested, is not within {within}: {by} is broken."
            ),
            (Lang::En, ..) => format!("Even the lowest load tested is not within {within}."),
            (Lang::Zh, Some(first), Some(by)) => {
                format!("最低一档 {first}就已超标（{by}），无法满足{within}。")
            }
            (Lang::Zh, ..) => format!("最低一档就已超标，无法满足{within}。"),
        }
    }

    fn client_limited(&self, found: Option<Capacity>, within: &str) -> String {
        let at = self.verdict.broken_at.map(|at| at_text(at, self.lang));
        let why = self.broken_by();
        let client = match self.lang {
            Lang::En => format!(
                "The client is the limit{}{}",
                at.map_or(String::new(), |at| format!(" at {at}")),
                why.map_or(String::new(), |why| format!(" ({why})"))
            ),
            Lang::Zh => format!(
                "{}先到极限的是压测客户端{}",
                at.map_or(String::new(), |at| format!("到 {at}时，")),
                why.map_or(String::new(), |why| format!("（{why}）"))
            ),
        };
        let text = match (self.lang, found) {
            (Lang::En, Some(found)) => format!(
                "{client}; the server carries at least {}{} within {within}.",
                at_text(found.at, self.lang),
                self.interval(found)
            ),
            (Lang::En, None) => format!("{client}; what the server carries is not known."),
            (Lang::Zh, Some(found)) => format!(
                "{client}；服务端至少可承载 {}{}，满足{within}。",
                at_text(found.at, self.lang),
                self.interval(found)
            ),
            (Lang::Zh, None) => format!("{client}；服务端能承载多少尚不清楚。"),
        };
        let way_out = self.lang.pick(
            " Give the client more cores, or more machines.",
            "请给客户端更多核，或增加压测机器。",
        );
        format!("{text}{way_out}")
    }

    fn server_gone(&self, found: Option<Capacity>, within: &str) -> String {
        let at = self
            .verdict
            .broken_at
            .map(|at| carries(at, self.lang))
            .unwrap_or_default();
        let start = self.lang.pick(
            format!("The server stopped taking connections at {at}: no answer"),
            format!("到 {at}时服务端不再接受连接，没有结论"),
        );
        match (self.lang, found) {
            (Lang::En, Some(found)) => {
                let up_to = at_text(found.at, self.lang);
                format!("{start}. Up to {up_to} nothing contradicted {within}.")
            }
            (Lang::Zh, Some(found)) => {
                let up_to = at_text(found.at, self.lang);
                format!("{start}。此前到 {up_to}为止未见违反{within}。")
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
                carries(found.at, self.lang)
            ),
            (Lang::En, None) => {
                format!(
                    "{start}: the data do not decide whether any load tested is within {within}."
                )
            }
            (Lang::Zh, Some(found)) => format!(
                "{start}：到 {}为止未见违反{within}，超标的负载尚未找到。",
                at_text(found.at, self.lang)
            ),
            (Lang::Zh, None) => {
                format!("{start}：现有数据无法判定任何一档是否满足{within}。")
            }
        }
    }
}

/// `48 concurrent streams`, `48 路并发`; `20 req/s`, `20 请求/秒`.
fn carries(load: Load, lang: Lang) -> String {
    match (lang, load) {
        (Lang::En, Load::Streams(1)) => "1 concurrent stream".to_owned(),
        (Lang::En, Load::Streams(streams)) => format!("{streams} concurrent streams"),
        (Lang::Zh, Load::Streams(streams)) => format!("{streams} 路并发"),
        (_, Load::RatePerS(_)) => load_text(load, lang),
    }
}
