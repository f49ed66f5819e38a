//! Every word that the pictures show, in both languages.

use plimsoll_core::load::LoadUnit;

use super::{Figure, PointVerdict};
use crate::lang::Lang;

/// Title of a figure.
pub(super) fn title(figure: Figure, unit: LoadUnit, lang: Lang) -> String {
    let over = match unit {
        LoadUnit::Streams => lang.pick("concurrency", "并发"),
        LoadUnit::Users => lang.pick("users", "用户数"),
        LoadUnit::RatePerS => lang.pick("arrival rate", "到达速率"),
    };
    let what = match figure {
        Figure::LoadLine => lang.pick("Load line: throughput and TTFT", "载重线：吞吐与首字时延"),
        Figure::Throughput => lang.pick("Throughput", "吞吐"),
        Figure::Efficiency => lang.pick("Concurrency efficiency", "并发效率"),
    };
    format!("{what} vs {over}")
}

/// Title of the axis of loads.
pub(super) fn loads_axis(unit: LoadUnit, lang: Lang) -> &'static str {
    match unit {
        LoadUnit::Streams => lang.pick("concurrent streams (log scale)", "并发路数（对数刻度）"),
        LoadUnit::Users => lang.pick("users (log scale)", "用户数（对数刻度）"),
        LoadUnit::RatePerS => lang.pick(
            "arrivals per second (log scale)",
            "到达速率（请求/秒，对数刻度）",
        ),
    }
}

/// What to set so that no more comes in.
pub(super) fn cap(unit: LoadUnit) -> &'static Words {
    match unit {
        LoadUnit::Streams | LoadUnit::Users => &GATEWAY_CAP,
        LoadUnit::RatePerS => &RATE_LIMIT,
    }
}

/// The mean to plan for.
pub(super) fn planned_mean(unit: LoadUnit) -> &'static Words {
    match unit {
        LoadUnit::Streams | LoadUnit::Users => &PLANNED_MEAN,
        LoadUnit::RatePerS => &PLANNED_RATE,
    }
}

/// A text in the two languages.
pub(super) struct Words {
    en: &'static str,
    zh: &'static str,
}

impl Words {
    /// The text in `lang`.
    pub(super) fn get(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

const fn words(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

pub(super) const REQUESTS_AXIS: Words = words("throughput (requests/s)", "吞吐（请求/秒）");
pub(super) const TOKENS_AXIS: Words = words("output throughput (tokens/s)", "输出吞吐（token/秒）");
pub(super) const TTFT_AXIS: Words = words("TTFT (ms)", "首字时延 TTFT（毫秒）");
pub(super) const EFFICIENCY_AXIS: Words = words(
    "efficiency (requests/s per stream)",
    "并发效率（请求/秒/路）",
);

pub(super) const REQUESTS: Words = words("requests/s (left)", "请求/秒（左轴）");
pub(super) const TOKENS: Words = words("output tokens/s (right)", "输出token/秒（右轴）");
pub(super) const TTFT_P95: Words = words("TTFT p95 (right)", "TTFT p95（右轴）");
pub(super) const TTFT_MEAN: Words = words("TTFT mean (right)", "TTFT 均值（右轴）");
pub(super) const LAW: Words = words(
    "Universal Scalability Law, for the picture only",
    "通用扩展定律拟合（仅用于作图）",
);
pub(super) const EFFICIENCY: Words = words("requests/s per stream", "每路请求/秒");
pub(super) const BAND: Words = words("capacity interval", "容量的置信区间");

pub(super) const CAPACITY: Words = words("capacity", "容量");
const GATEWAY_CAP: Words = words("gateway cap", "网关上限");
const RATE_LIMIT: Words = words("rate limit", "速率上限");
const PLANNED_MEAN: Words = words("planned mean", "平均并发");
const PLANNED_RATE: Words = words("planned mean", "平均速率");
pub(super) const KNEE: Words = words("knee (95 % of the peak)", "拐点（峰值 95 %）");
pub(super) const SATURATION: Words = words("saturation", "饱和速率");
pub(super) const TTFT_BOUND: Words = words("TTFT bound", "TTFT 上限");
pub(super) const MILLISECONDS: Words = words("ms", "毫秒");
pub(super) const NO_DATA: Words = words("no data", "没有数据");

/// The line under the efficiency plot.
pub(super) const EFFICIENCY_NOTE: Words = words(
    "By Little's law efficiency is 1 / mean request time, so its maximum is always at 1 stream; \
     use the knee instead.",
    "按利特尔法则，并发效率 = 1 / 平均请求耗时，最大值总是出现在 1 路；请改用拐点。",
);

/// The word for a verdict in the legend.
pub(super) fn verdict(verdict: PointVerdict, lang: Lang) -> &'static str {
    let words = match verdict {
        PointVerdict::Pass => words("pass", "达标"),
        PointVerdict::Fail => words("fail", "超标"),
        PointVerdict::Undecided => words("undecided", "未定"),
        PointVerdict::Screened => words("screened", "初筛通过"),
        PointVerdict::Void => words("void", "作废"),
    };
    words.get(lang)
}
