//! Every word that the pictures show, in both languages.

use super::{Figure, PointVerdict};
use crate::lang::Lang;

/// Title of a figure.
pub(super) fn title(figure: Figure, lang: Lang) -> &'static str {
    match (figure, lang) {
        (Figure::LoadLine, Lang::En) => "Load line: throughput and TTFT vs concurrency",
        (Figure::LoadLine, Lang::Zh) => "载重线：吞吐与首字时延 vs 并发",
        (Figure::Throughput, Lang::En) => "Throughput vs concurrency",
        (Figure::Throughput, Lang::Zh) => "吞吐 vs 并发",
        (Figure::Efficiency, Lang::En) => "Concurrency efficiency vs concurrency",
        (Figure::Efficiency, Lang::Zh) => "并发效率 vs 并发",
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

pub(super) const STREAMS: Words = words("concurrent streams (log scale)", "并发路数（对数刻度）");
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
pub(super) const GATEWAY_CAP: Words = words("gateway cap", "网关上限");
pub(super) const PLANNED_MEAN: Words = words("planned mean", "平均并发");
pub(super) const KNEE: Words = words("knee (95 % of the peak)", "拐点（峰值 95 %）");
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
