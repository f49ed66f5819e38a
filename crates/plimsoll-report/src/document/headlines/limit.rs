//! How far the server goes, and what breaks beyond.

use plimsoll_core::level::{LevelSummary, LevelVerdict, Load, Reason};
use plimsoll_core::slo::{Objective, Op};
use plimsoll_core::verdict::{BrokenBy, Capacity, VerdictKind};

use super::super::levels::statistic;
use super::Teller;
use crate::lang::Lang;
use crate::number::{figure, least_growth, metric_value, trimmed};
use crate::words;

impl Teller<'_> {
    /// The limit, by the kind of the verdict.
    pub(super) fn limit(&self) -> String {
        let Some(found) = self.verdict.answer() else {
            return self.without_capacity();
        };
        let at = self.load(found.at);
        match self.verdict.kind {
            VerdictKind::Capacity => self.found(&found),
            VerdictKind::DiminishingReturns => self.grows_little(&found),
            VerdictKind::FullBatch => self.full_batch(&at),
            VerdictKind::NotMonotone => self.lang.pick(
                format!("{at}: above that it breaks, and higher up it holds again; each was seen twice, and the lower load counts"),
                format!("{at}：再往上超标，更高处却又达标，且都复测过；以较低者为准"),
            ),
            VerdictKind::ResourcesExhausted => self.exhausted(&at),
            VerdictKind::AboveLast => self.lang.pick(
                format!("not found: at least {at}; nothing broke up to the highest load tested"),
                format!("未找到极限：至少 {at}，测到最高一档仍未超标"),
            ),
            VerdictKind::ClientLimited => self.client_limited(&at),
            VerdictKind::BelowFirst | VerdictKind::ServerGone | VerdictKind::Inconclusive => {
                self.without_capacity()
            }
        }
    }

    /// That there is no answer, with what was seen all the same: loads that nothing speaks against
    /// are not known to hold.
    fn without_capacity(&self) -> String {
        let unbroken = self.unbroken().map(|load| self.load(load));
        match (self.verdict.kind, unbroken) {
            (VerdictKind::BelowFirst, _) => self.below_first(),
            (VerdictKind::ServerGone, seen) => self.with_seen(&self.gone(), seen),
            (VerdictKind::ClientLimited, seen) => self.with_seen(
                &format!(
                    "{}{}",
                    self.lang.pick("not known: ", "未知："),
                    self.client_at()
                ),
                seen,
            ),
            (_, Some(seen)) => self.inconclusive(&seen),
            (_, None) => self
                .lang
                .pick(
                    "not known: the data do not decide at any load tested",
                    "未知：现有数据在任何一档上都不足以判定",
                )
                .to_owned(),
        }
    }

    fn with_seen(&self, what: &str, seen: Option<String>) -> String {
        let seen = seen.map_or(String::new(), |at| {
            self.lang.pick(
                format!("; up to {at} nothing was against the objectives"),
                format!("；此前到 {at}为止未见超标"),
            )
        });
        format!("{what}{seen}")
    }

    fn inconclusive(&self, at: &str) -> String {
        let beyond = self.beyond();
        match self.lang {
            Lang::En => format!(
                "not known: up to {at} nothing is against the objectives, which is not decided{}",
                beyond.map_or(String::new(), |beyond| format!("; {beyond}"))
            ),
            Lang::Zh => format!(
                "未知：到 {at}为止未见超标，但还不能判定达标{}",
                beyond.map_or(String::new(), |beyond| format!("；{beyond}"))
            ),
        }
    }

    /// The highest load that nothing speaks against, below all that something does.
    fn unbroken(&self) -> Option<Load> {
        let unit = self.run.plan.unit();
        let telling = || {
            let levels = self.run.levels.iter();
            levels.filter(move |level| level.counts(unit) && !level.says_nothing())
        };
        let by_amount = |one: &Load, other: &Load| one.amount().total_cmp(&other.amount());
        let of = |broken: bool| {
            let levels = telling().filter(move |level| level.is_broken() == broken);
            levels.map(|level| level.load)
        };
        let lowest = of(true).min_by(by_amount);
        of(false)
            .filter(|load| lowest.is_none_or(|lowest| load.amount() < lowest.amount()))
            .max_by(by_amount)
    }

    fn found(&self, found: &Capacity) -> String {
        let at = self.load(found.at);
        let interval = self.interval(found);
        let rates = self.rates();
        let beyond = self.beyond();
        match self.lang {
            Lang::En => {
                let rates = rates.map_or(String::new(), |rates| format!(": {rates}"));
                let beyond = beyond.map_or(String::new(), |beyond| format!("; {beyond}"));
                format!("{at} ({interval}){rates}{beyond}")
            }
            Lang::Zh => {
                let rates = rates.map_or(String::new(), |rates| format!("，此时 {rates}"));
                let beyond = beyond.map_or(String::new(), |beyond| format!("；{beyond}"));
                format!("{at}（{interval}）{rates}{beyond}")
            }
        }
    }

    /// `95 %: 56–57`.
    fn interval(&self, found: &Capacity) -> String {
        let share = trimmed(self.run.plan.confidence.two_sided() * 100.0);
        let lower = found.lower.amount();
        let range = match (self.lang, found.upper.map(Load::amount)) {
            (Lang::En, Some(_)) if found.upper == Some(found.lower) => format!("only {lower}"),
            (Lang::Zh, Some(_)) if found.upper == Some(found.lower) => format!("只含 {lower}"),
            (_, Some(upper)) => format!("{lower}–{upper}"),
            (Lang::En, None) => format!("{lower} or more"),
            (Lang::Zh, None) => format!("{lower} 及以上"),
        };
        self.lang.pick(
            format!("{share} %: {range}"),
            format!("{share} % 置信区间 {range}"),
        )
    }

    /// Throughput at the capacity.
    fn rates(&self) -> Option<String> {
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
        (!rates.is_empty()).then(|| rates.join(self.lang.pick(", ", "、")))
    }

    /// What breaks at the load above.
    fn beyond(&self) -> Option<String> {
        let (at, by) = (self.verdict.broken_at?, self.verdict.broken_by.as_ref()?);
        let load = self.load(at);
        let mut seen = self.levels_at(at).peekable();
        if seen.peek().is_some() && seen.all(LevelSummary::says_nothing) {
            let by = words::broken_by(by, self.lang);
            return Some(self.lang.pick(
                format!("nothing is known at {load}: {by}"),
                format!("{load}时没有结论：{by}"),
            ));
        }
        let BrokenBy::Level(Reason::Objective { objective }) = by else {
            let by = words::broken_by(by, self.lang);
            return Some(
                self.lang
                    .pick(format!("at {load}: {by}"), format!("到 {load}时：{by}")),
            );
        };
        Some(self.breaks(&load, at, objective))
    }

    /// An objective at a load: its value against its bound, as far as that is decided.
    fn breaks(&self, load: &str, at: Load, objective: &Objective) -> String {
        let name = spaced(&words::objective_name(objective, self.lang));
        let bound = bound(objective);
        let side = match objective.op {
            Op::AtMost => self.lang.pick("over", "超过"),
            Op::AtLeast => self.lang.pick("below", "低于"),
        };
        let is_decided = self
            .levels_at(at)
            .any(|level| level.verdict == LevelVerdict::Fail);
        match (self.value_at(at, objective), is_decided) {
            (Some(value), true) => self.lang.pick(
                format!("at {load} {name}is {value}, {side} {bound}"),
                format!("到 {load}时 {name}为 {value}，{side} {bound}"),
            ),
            (Some(value), false) => self.lang.pick(
                format!("at {load} {name}looks {side} {bound} ({value}), not decided"),
                format!("到 {load}时 {name}看似{side} {bound}（{value}），还不能判定"),
            ),
            (None, true) if self.has_failures(at) => self.lang.pick(
                format!("at {load} {name}is {side} {bound}; a failed request counts as {side} it"),
                format!("到 {load}时 {name}{side} {bound}（失败的请求按{side}计）"),
            ),
            (None, true) => self.lang.pick(
                format!("at {load} {name}is {side} {bound}"),
                format!("到 {load}时 {name}{side} {bound}"),
            ),
            (None, false) => self.lang.pick(
                format!("at {load} {name}looks {side} {bound}, not decided"),
                format!("到 {load}时 {name}看似{side} {bound}，还不能判定"),
            ),
        }
    }

    /// Whether requests failed at a load.
    fn has_failures(&self, load: Load) -> bool {
        let mut levels = self.levels_at(load);
        levels.any(|level| level.requests.failed_in_window > 0)
    }

    fn levels_at(&self, load: Load) -> impl Iterator<Item = &LevelSummary> {
        self.run
            .levels
            .iter()
            .filter(move |level| level.load == load)
    }

    /// The statistic at the latest visit that broke, or else the latest.
    fn value_at(&self, load: Load, objective: &Objective) -> Option<String> {
        let sound = || {
            self.levels_at(load)
                .filter(|level| level.verdict != LevelVerdict::Void)
        };
        let broke = sound().filter(|level| level.verdict == LevelVerdict::Fail);
        let level = broke.last().or_else(|| sound().last())?;
        let value = statistic(level, objective)?;
        // A share of failures can break what the quantile of the answers keeps.
        let breaks = objective.is_over(value);
        breaks.then(|| metric_value(objective.metric, value))
    }

    fn grows_little(&self, found: &Capacity) -> String {
        let growth = least_growth(self.run);
        let at = self.load(found.at);
        self.lang.pick(
            format!("{at}: from there on throughput grows by less than {growth} % per doubling"),
            format!("{at}：再往上，并发每翻一倍，吞吐增长不到 {growth} %"),
        )
    }

    fn full_batch(&self, at: &str) -> String {
        self.lang.pick(
            format!("{at}, where the batch is full: more streams only wait for their first token, which these objectives do not limit"),
            format!("{at}，此时批次已满：再加路数只是排队等首字，而这些目标不限制首字时延"),
        )
    }

    fn exhausted(&self, at: &str) -> String {
        let beyond = self.verdict.broken_at.map(|load| self.load(load));
        let beyond = beyond.map_or(String::new(), |load| {
            self.lang.pick(
                format!("; at {load} the server runs out of resources"),
                format!("；到 {load}时服务端资源耗尽"),
            )
        });
        format!("{at}{beyond}")
    }

    fn client_limited(&self, at: &str) -> String {
        let client = self.client_at();
        self.lang.pick(
            format!("not found: at least {at}; {client}"),
            format!("未找到极限：至少 {at}；{client}"),
        )
    }

    fn client_at(&self) -> String {
        let why = self.verdict.broken_by.as_ref();
        let why = why.map(|by| words::broken_by(by, self.lang));
        let at = self.verdict.broken_at.map(|at| self.load(at));
        match self.lang {
            Lang::En => format!(
                "{}the client itself was the limit{}",
                at.map_or(String::new(), |at| format!("at {at} ")),
                why.map_or(String::new(), |why| format!(" ({why})"))
            ),
            Lang::Zh => format!(
                "{}先到极限的是压测客户端{}",
                at.map_or(String::new(), |at| format!("到 {at}时，")),
                why.map_or(String::new(), |why| format!("（{why}）"))
            ),
        }
    }

    fn gone(&self) -> String {
        let at = self.verdict.broken_at.map(|at| self.load(at));
        let how = self.verdict.broken_by.as_ref();
        let how = how.map(|by| words::broken_by(by, self.lang));
        match self.lang {
            Lang::En => format!(
                "not known: the server is gone{}{}",
                at.map_or(String::new(), |at| format!(" at {at}")),
                how.map_or(String::new(), |how| format!(": {how}"))
            ),
            Lang::Zh => format!(
                "未知：{}服务端已不可用{}",
                at.map_or(String::new(), |at| format!("到 {at}时")),
                how.map_or(String::new(), |how| format!("：{how}"))
            ),
        }
    }

    fn below_first(&self) -> String {
        let beyond = self.beyond();
        match self.lang {
            Lang::En => format!(
                "below the lowest load tested{}",
                beyond.map_or(String::new(), |beyond| format!(": {beyond}"))
            ),
            Lang::Zh => format!(
                "低于所测的最低一档{}",
                beyond.map_or(String::new(), |beyond| format!("：{beyond}"))
            ),
        }
    }
}

/// A name with the space that what follows it needs: none between two Chinese characters.
fn spaced(name: &str) -> String {
    let space = if name.ends_with(|c: char| c.is_ascii()) {
        " "
    } else {
        ""
    };
    format!("{name}{space}")
}

/// A bound with its unit alone: `1 s`, `99 %`.
fn bound(objective: &Objective) -> String {
    let text = objective.limit().to_string();
    text.trim_start_matches(['≤', '≥', ' ']).to_owned()
}
