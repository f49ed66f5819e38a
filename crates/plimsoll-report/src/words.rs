//! The words of both languages: verdicts, objectives, and the short texts that come with a verdict.

use plimsoll_core::level::LevelVerdict;
use plimsoll_core::slo::{Metric, Objective, Slo, Stat};
use plimsoll_core::tier::Tier;

use crate::lang::Lang;

/// The word of the table for what a level says.
pub(crate) fn level_verdict(verdict: LevelVerdict, lang: Lang) -> &'static str {
    match verdict {
        LevelVerdict::Pass => lang.pick("pass", "达标"),
        LevelVerdict::Fail => lang.pick("fail", "超标"),
        LevelVerdict::Undecided => lang.pick("undecided", "未定"),
        LevelVerdict::Screened => lang.pick("screened", "初筛通过"),
        LevelVerdict::Void => lang.pick("void", "作废"),
    }
}

/// The objectives, one after the other.
pub(crate) fn slo(slo: &Slo, lang: Lang) -> String {
    let parts: Vec<String> = slo.0.iter().map(|one| objective(one, lang)).collect();
    parts.join(lang.pick(", ", "、"))
}

/// Several tiers with their objectives.
pub(crate) fn tiers(tiers: &[Tier], lang: Lang) -> String {
    let parts: Vec<String> = tiers
        .iter()
        .map(|tier| {
            let (name, slo) = (&tier.name, slo(&tier.slo, lang));
            lang.pick(format!("{name}: {slo}"), format!("{name}：{slo}"))
        })
        .collect();
    parts.join(lang.pick("; ", "；"))
}

/// An objective with its bound: `ttft p95 ≤ 1 s`, `成功率 ≥ 99 %`.
pub(crate) fn objective(objective: &Objective, lang: Lang) -> String {
    let text = objective.to_string();
    match (lang, text.find(['≤', '≥'])) {
        (Lang::Zh, Some(at)) => format!("{} {}", objective_name_zh(objective), &text[at..]),
        _ => text,
    }
}

/// An objective without its bound: `ttft p95`, `成功率`.
pub(crate) fn objective_name(objective: &Objective, lang: Lang) -> String {
    match lang {
        Lang::Zh => objective_name_zh(objective),
        Lang::En => {
            let text = objective.to_string();
            let name = text.split(['≤', '≥']).next().unwrap_or_default();
            name.trim().to_owned()
        }
    }
}

fn objective_name_zh(objective: &Objective) -> String {
    let metric = match objective.metric {
        Metric::Speed => "单路速度".to_owned(),
        Metric::Success => "成功率".to_owned(),
        Metric::Goodput => "达标请求占比".to_owned(),
        latency => latency.to_string(),
    };
    match objective.stat {
        Stat::Mean => format!("{metric} 均值"),
        Stat::Quantile(q) => format!("{metric} p{}", (q * 1e8).round() / 1e6),
        Stat::Ratio => metric,
    }
}

/// What broke: an objective, or one of the rules.
pub(crate) fn broken_by(text: &str, slo: &Slo, lang: Lang) -> String {
    match lang {
        Lang::En => text.to_owned(),
        Lang::Zh => slo
            .0
            .iter()
            .find(|one| one.to_string() == text)
            .map_or_else(|| detail(text, lang), objective_name_zh),
    }
}

/// The short English texts of the core, and what they are in Chinese; `{}` is any text, and `{0}`
/// is the first of them.
const DETAILS: [(&str, &str); 22] = [
    ("the batch is full", "批次已满"),
    ("{} running, {} waiting", "运行 {0} 个、排队 {1} 个"),
    ("{} preemptions/min", "每分钟抢占 {0} 次"),
    ("{} requests waiting for cache", "{0} 个请求在等缓存"),
    (
        "ttft p95 ×{}, tpot ×{} for {}× the streams",
        "并发增至 {2} 倍时，ttft p95 增至 {0} 倍、tpot 增至 {1} 倍",
    ),
    (
        "{} of {} failed, most by {} ({})",
        "{1} 个请求中有 {0} 个失败，最多的是 {2}（{3} 个）",
    ),
    (
        "the client's own loop is {} ms late on the average, over {} ms",
        "客户端自身循环平均滞后 {0} ms，超过允许的 {1} ms",
    ),
    (
        "{} % of the first tokens may be stamped more than {} ms late",
        "{0} % 的首 token 时间戳可能偏晚 {1} ms 以上",
    ),
    (
        "a worker used {} % of its core",
        "有一个工作线程占用了所在核的 {0} %",
    ),
    (
        "{} of {} streams in flight, {} waited for a connection",
        "要求 {1} 路，平均在途只有 {0} 路，另有 {2} 路在等待建立连接",
    ),
    (
        "arrivals waited {} ms for the client itself, over {} ms",
        "到达的请求平均在客户端滞留 {0} ms，超过允许的 {1} ms",
    ),
    (
        "unstable: the number of requests in flight grows",
        "不稳定：在途请求数持续增长",
    ),
    ("connections are refused", "连接被拒绝"),
    ("it ended before it could be screened", "未及初筛就结束"),
    (
        "{} of {} requests were refused with 429",
        "{1} 个请求中有 {0} 个被 429 拒绝",
    ),
    (
        "send lag p99 {} ms is over {} ms",
        "发送滞后 p99 为 {0} ms，超过允许的 {1} ms",
    ),
    (
        "{} of {} users in flight or thinking",
        "要求 {1} 名用户，在途或思考中的只有 {0} 名",
    ),
    (
        "{} of {} streams in flight",
        "要求 {1} 路，平均在途只有 {0} 路",
    ),
    (
        "`{}` does not exist for {} of {} requests",
        "{2} 个请求中有 {1} 个算不出 {0}",
    ),
    (
        "no request ended within the window",
        "统计窗口内没有请求结束",
    ),
    (
        "throughput growth < {} % per doubling",
        "并发每翻一倍，吞吐增长不到 {0} %",
    ),
    ("KV cache full with preemptions", "KV 缓存已满并发生抢占"),
];

/// A short text of the core in the reader's language; unknown texts stay as they are.
pub(crate) fn detail(text: &str, lang: Lang) -> String {
    let translated = || {
        DETAILS.iter().find_map(|(pattern, chinese)| {
            let parts = captures(text, pattern)?;
            let fill =
                |text: String, (i, part): (usize, &&str)| text.replace(&format!("{{{i}}}"), part);
            Some(parts.iter().enumerate().fold((*chinese).to_owned(), fill))
        })
    };
    match lang {
        Lang::En => text.to_owned(),
        Lang::Zh => translated().unwrap_or_else(|| text.to_owned()),
    }
}

/// What stands for each `{}` of `pattern` in `text`; `None` if it does not match.
fn captures<'a>(text: &'a str, pattern: &str) -> Option<Vec<&'a str>> {
    let (start, rest_of_pattern) = pattern.split_once("{}").unwrap_or((pattern, ""));
    let mut rest = text.strip_prefix(start)?;
    if start.len() == pattern.len() {
        return rest.is_empty().then(Vec::new);
    }
    let mut found = Vec::new();
    let mut literals = rest_of_pattern.split("{}").peekable();
    while let Some(literal) = literals.next() {
        let at = if literals.peek().is_some() {
            rest.find(literal)?
        } else {
            rest.strip_suffix(literal)?.len()
        };
        found.push(&rest[..at]);
        rest = &rest[at + literal.len()..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_the_core_are_read() {
        for (english, chinese) in [
            ("47 running, 17 waiting", "运行 47 个、排队 17 个"),
            ("14 preemptions/min", "每分钟抢占 14 次"),
            ("31 requests waiting for cache", "31 个请求在等缓存"),
            (
                "ttft p95 ×1.80, tpot ×1.10 for 2.00× the streams",
                "并发增至 2.00 倍时，ttft p95 增至 1.80 倍、tpot 增至 1.10 倍",
            ),
            (
                "12 of 80 requests were refused with 429",
                "80 个请求中有 12 个被 429 拒绝",
            ),
            (
                "send lag p99 8.1 ms is over 5.0 ms",
                "发送滞后 p99 为 8.1 ms，超过允许的 5.0 ms",
            ),
            (
                "`tpot p95 ≤ 50 ms` does not exist for 30 of 80 requests",
                "80 个请求中有 30 个算不出 tpot p95 ≤ 50 ms",
            ),
            ("KV cache full with preemptions", "KV 缓存已满并发生抢占"),
            (
                "arrivals waited 7.2 ms for the client itself, over 5.0 ms",
                "到达的请求平均在客户端滞留 7.2 ms，超过允许的 5.0 ms",
            ),
            ("something new", "something new"),
        ] {
            assert_eq!(detail(english, Lang::Zh), chinese);
            assert_eq!(detail(english, Lang::En), english);
        }
    }

    #[test]
    fn objectives_are_named_in_chinese() {
        let slo: Slo = Slo(vec![
            Objective::ttft_mean(1_000.0),
            Objective::success(0.99),
        ]);
        assert_eq!(super::slo(&slo, Lang::Zh), "ttft 均值 ≤ 1 s、成功率 ≥ 99 %");
        assert_eq!(
            super::slo(&slo, Lang::En),
            "ttft mean ≤ 1 s, success ≥ 99 %"
        );
        assert_eq!(broken_by("ttft mean ≤ 1 s", &slo, Lang::Zh), "ttft 均值");
    }
}
