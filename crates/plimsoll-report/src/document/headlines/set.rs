//! What to set in production, and what to do where there is nothing to set.

use plimsoll_core::level::{LevelVerdict, Load, Reason};
use plimsoll_core::run::RunState;
use plimsoll_core::verdict::{BrokenBy, CauseKind, Confirmed, Note, VerdictKind};

use super::Teller;
use crate::document::cautions::looks_broken;
use crate::number::{duration, figure, percent, percent_up, plural, so_many, trimmed};

/// A search without a narrow answer is given at least this long the next time, s.
const LEAST_BUDGET_S: f64 = 900.0;

impl Teller<'_> {
    /// What to set at the gateway, or that nothing can be.
    pub(super) fn set(&self) -> String {
        let Some(advice) = self.verdict.recommended else {
            return self.nothing_to_set();
        };
        let cap = match advice.cap {
            Load::Streams(cap) => self.lang.pick(
                format!("{cap} {} in flight", plural(u64::from(cap), "request")),
                format!("{cap} 个在途请求"),
            ),
            Load::RatePerS(_) => {
                let rate = self.load(advice.cap);
                self.lang
                    .pick(format!("{rate} of arrivals"), format!("到达速率 {rate}"))
            }
        };
        match self.held_at(advice.cap) {
            Some(held) => self
                .lang
                .pick(format!("{cap} ({held})"), format!("{cap}（{held}）")),
            None => cap,
        }
    }

    /// What the hold of the cap showed, where it speaks for it.
    fn held_at(&self, cap: Load) -> Option<String> {
        let held = self.verdict.confirmed.filter(|held| held.load == cap)?;
        (!looks_broken(self.run, &held)).then(|| self.held(&held))
    }

    fn held(&self, held: &Confirmed) -> String {
        let (time, n) = (duration(held.held_s, self.lang), held.requests);
        if held.verdict == LevelVerdict::Pass {
            self.lang.pick(
                format!("held for {time}: passed with {}", so_many(n, "request")),
                format!("实测保持 {time}，{n} 个请求判定达标"),
            )
        } else {
            self.lang.pick(
                format!(
                    "held for {time}: nothing against it in {}",
                    so_many(n, "request")
                ),
                format!("实测保持 {time}，{n} 个请求中未见超标"),
            )
        }
    }

    fn nothing_to_set(&self) -> String {
        let text = match (self.verdict.kind, self.verdict.answer()) {
            (VerdictKind::BelowFirst, _) => self.lang.pick(
                "no load: not even the lowest meets the objectives",
                "无：最低一档也达不到目标",
            ),
            (_, Some(_)) if self.run.plan.think_time_s.is_some() => self.lang.pick(
                "nothing from this run: its loads are users, and a gateway counts requests in flight",
                "本次测的是用户数，而网关限制的是在途请求数，给不出设定值",
            ),
            (VerdictKind::ServerGone, _) => self.lang.pick(
                "not known: the server went away before there was an answer",
                "未知：还没有结论，服务端就不可用了",
            ),
            (_, Some(_)) => self.lang.pick(
                "not known yet: the lower end of the interval is open",
                "尚不能确定：置信区间的下端还没有定下来",
            ),
            (_, None) => self.lang.pick(
                "not known yet: no load is known to hold",
                "尚不能确定：还没有确认达标的负载",
            ),
        };
        text.to_owned()
    }

    /// The mean load to plan for.
    pub(super) fn plan(&self) -> Option<String> {
        let advice = self.verdict.recommended?;
        let share = percent(advice.mean_cap_ratio);
        let Load::Streams(_) = advice.cap else {
            let mean = advice.mean_amount;
            return Some(self.lang.pick(
                format!("{mean} req/s on average ({share} % of that)"),
                format!("{mean} 请求/秒（上限的 {share} %）"),
            ));
        };
        let mean = trimmed(advice.mean_amount);
        let exceeds = advice.exceeds_cap_ratio.map(percent_up);
        let exceeds = exceeds.map_or(String::new(), |exceeds| {
            self.lang.pick(
                format!("; users who arrive at random exceed the cap {exceeds} % of the time"),
                format!("；用户随机到达时，有 {exceeds} % 的时间超过上限"),
            )
        });
        let rate = advice.request_per_s.map(figure);
        let rate = rate.map_or(String::new(), |rate| {
            self.lang.pick(
                format!(", computed as {rate} req/s of arrivals and not tried"),
                format!("，折合到达速率 {rate} 请求/秒，系推算、未实测"),
            )
        });
        Some(self.lang.pick(
            format!("{mean} in flight on average{rate} ({share} % of the cap{exceeds})"),
            format!("{mean} 路{rate}（上限的 {share} %{exceeds}）"),
        ))
    }

    /// What would bring an answer where there is none, or a narrower one.
    pub(super) fn next(&self) -> Option<String> {
        let is_spent = self.verdict.notes.contains(&Note::BudgetSpent);
        let text = match self.verdict.kind {
            VerdictKind::BelowFirst => self.below_first_next().to_owned(),
            VerdictKind::Capacity if is_spent && self.has_no_upper_end() => self.longer(),
            VerdictKind::ClientLimited => self
                .lang
                .pick(
                    "give the client more cores, or a machine of its own",
                    "给压测客户端更多核，或让它独占一台机器",
                )
                .to_owned(),
            VerdictKind::ServerGone => self.look_at_the_server(),
            VerdictKind::Inconclusive if self.ends_quiet() => self.look_at_the_server(),
            VerdictKind::AboveLast => self.higher(),
            VerdictKind::Inconclusive if is_spent => self.longer(),
            VerdictKind::Inconclusive if self.can_go_on() => self
                .lang
                .pick(
                    "go on with --resume and this run's folder",
                    "用 --resume 加上本次的目录接着测",
                )
                .to_owned(),
            VerdictKind::Inconclusive => self
                .lang
                .pick("measure anew with these objectives", "用这组目标重新测试")
                .to_owned(),
            _ => return None,
        };
        Some(text)
    }

    fn look_at_the_server(&self) -> String {
        let text = self.lang.pick(
            "look at the server's log, start it again, and measure anew",
            "查看服务端日志，重启后重新测试",
        );
        text.to_owned()
    }

    /// Whether nothing came from the server at the end.
    fn ends_quiet(&self) -> bool {
        let by = self.verdict.broken_by.as_ref();
        matches!(by, Some(BrokenBy::Level(Reason::Quiet { .. })))
    }

    /// What would bring the lowest load within the objectives.
    fn below_first_next(&self) -> &'static str {
        match self.verdict.cause.as_ref().map(|cause| cause.kind) {
            Some(CauseKind::Failures) => self.lang.pick(
                "find out why requests fail: the server's own words are with the failures",
                "先查清请求为什么失败：服务端返回的原文见“失败”一行",
            ),
            Some(CauseKind::RateLimit) => self.lang.pick(
                "raise the limit that refuses requests with 429, or measure below it with --by rate",
                "调高以 429 拒绝请求的限流值，或用 --by rate 在限流值以下测试",
            ),
            _ => self.lang.pick(
                "ease the objectives, shorten the requests, or add hardware",
                "放宽目标、缩短请求或增加硬件",
            ),
        }
    }

    /// Whether the interval reaches above the highest load that was allowed.
    fn has_no_upper_end(&self) -> bool {
        let answer = self.verdict.answer();
        answer.is_some_and(|found| found.upper.is_none())
    }

    /// Whether `--resume` would take the run: only what was cut short goes on.
    fn can_go_on(&self) -> bool {
        self.run.state != RunState::Finished && self.run.rejudged.is_none()
    }

    fn longer(&self) -> String {
        let spent_s = self.run.plan.search().map(|search| search.budget_s);
        let budget_s = spent_s.map_or(LEAST_BUDGET_S, |s| (s * 2.0).max(LEAST_BUDGET_S));
        let budget = format!("--budget {:.0}m", (budget_s / 60.0).ceil());
        self.lang.pick(
            format!("give it more time: {budget}"),
            format!("延长测试时间：{budget}"),
        )
    }

    fn higher(&self) -> String {
        let option = match self.verdict.answer().map(|found| found.at) {
            Some(Load::RatePerS(_)) => "--max-rate",
            _ => "--max-concurrency",
        };
        self.lang.pick(
            format!("search higher to find the limit: {option}"),
            format!("要找到极限，请调高 {option} 再测"),
        )
    }
}
