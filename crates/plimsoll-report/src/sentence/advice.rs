//! What to set in production.

use plimsoll_core::level::Load;
use plimsoll_core::verdict::{Recommended, VerdictKind};

use super::Answer;
use crate::lang::Lang;
use crate::number::{figure, percent, percent_up, trimmed};

impl Answer<'_> {
    /// What to set in production, or why nothing can be advised.
    pub(super) fn advice(&self) -> String {
        let Some(advice) = self.verdict.recommended else {
            return self.no_cap().to_owned();
        };
        match advice.cap {
            Load::Streams(cap) => self.cap(cap, &advice),
            Load::RatePerS(limit) => self.rate_cap(limit, advice.mean_amount),
        }
    }

    fn cap(&self, cap: u32, advice: &Recommended) -> String {
        let (mean, share) = (trimmed(advice.mean_amount), percent(advice.mean_cap_ratio));
        let exceeds = advice.exceeds_cap_ratio.map_or(String::new(), |ratio| {
            let exceeds = percent_up(ratio);
            self.lang.pick(
                format!(
                    ", which exceeds the cap {exceeds} % of the time if users arrive at random"
                ),
                format!("，用户随机到达时有 {exceeds} % 的时间会超过上限"),
            )
        });
        self.lang.pick(
            format!("Cap the gateway at {cap}; plan for a mean of {mean} ({share} %){exceeds}."),
            format!(
                "网关上限设为 {cap} 路；平均并发按 {mean} 路规划（上限的 {share} %）{exceeds}。"
            ),
        )
    }

    fn rate_cap(&self, limit_per_s: f64, mean_per_s: f64) -> String {
        let saturates = self.verdict.saturation_rate_per_s.map(figure);
        let text = self.lang.pick(
            format!(
                "Limit arrivals to {limit_per_s} req/s; plan for a mean of {mean_per_s} req/s."
            ),
            format!("到达速率上限设为 {limit_per_s} 请求/秒；平均按 {mean_per_s} 请求/秒规划。"),
        );
        match (self.lang, saturates) {
            (_, None) => text,
            (Lang::En, Some(rate)) => format!("{text} The server saturates at {rate} req/s."),
            (Lang::Zh, Some(rate)) => format!("{text}服务端饱和速率为 {rate} 请求/秒。"),
        }
    }

    fn no_cap(&self) -> &'static str {
        match (self.verdict.kind, self.verdict.capacity) {
            (_, Some(_)) if self.run.plan.think_time_s.is_some() => self.lang.pick(
                "No gateway cap to advise: these are users, and a gateway counts requests in flight; \
                 search without --think-time for it.",
                "给不出网关上限建议：这里测的是用户数，而网关限制的是在途请求数；请去掉 --think-time 再测。",
            ),
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
