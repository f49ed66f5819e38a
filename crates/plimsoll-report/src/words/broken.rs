//! What broke first, in words.

use plimsoll_core::level::{Reason, Silence};
use plimsoll_core::verdict::BrokenBy;

use super::{objective_name, reason};
use crate::lang::Lang;
use crate::number::{duration, trimmed};

/// What broke: an objective, or one of the rules.
pub(crate) fn broken_by(by: &BrokenBy, lang: Lang) -> String {
    match lang {
        Lang::En => en(by),
        Lang::Zh => zh(by),
    }
}

fn en(by: &BrokenBy) -> String {
    match by {
        BrokenBy::ThroughputStalls { least_growth_ratio } => {
            let percent = trimmed(least_growth_ratio * 100.0);
            format!("throughput growth < {percent} % per doubling")
        }
        BrokenBy::FullBatch => "the batch is full".to_owned(),
        BrokenBy::KvCacheFull => "KV cache full with preemptions".to_owned(),
        BrokenBy::ServerGone { silence } => gone(silence.as_ref(), Lang::En),
        BrokenBy::Level(why) => reason(why, Lang::En),
    }
}

/// How it shows that a server is gone, and since when, as the rest of a sentence.
pub(crate) fn gone(silence: Option<&Silence>, lang: Lang) -> String {
    let since = silence.map(|silence| duration(silence.since_s, lang));
    let refuses = silence.is_none_or(|silence| silence.refuses);
    match (lang, refuses) {
        (Lang::En, true) => format!(
            "connections are refused{}",
            since.map_or(String::new(), |since| format!(
                ", and nothing is answered since {since} into the run"
            ))
        ),
        (Lang::En, false) => format!(
            "nothing is answered since {} into the run",
            since.unwrap_or_default()
        ),
        (Lang::Zh, true) => format!(
            "连接被拒绝{}",
            since.map_or(String::new(), |since| format!(
                "，运行到 {since}之后再无应答"
            ))
        ),
        (Lang::Zh, false) => format!("运行到 {}之后再无应答", since.unwrap_or_default()),
    }
}

/// An objective stands without its bound: "首先超标的是 ttft p95".
fn zh(by: &BrokenBy) -> String {
    match by {
        BrokenBy::ThroughputStalls { least_growth_ratio } => {
            let percent = trimmed(least_growth_ratio * 100.0);
            format!("并发每翻一倍，吞吐增长不到 {percent} %")
        }
        BrokenBy::FullBatch => "批次已满".to_owned(),
        BrokenBy::KvCacheFull => "KV 缓存已满并发生抢占".to_owned(),
        BrokenBy::ServerGone { silence } => gone(silence.as_ref(), Lang::Zh),
        BrokenBy::Level(Reason::Objective { objective }) => objective_name(objective, Lang::Zh),
        BrokenBy::Level(why) => reason(why, Lang::Zh),
    }
}
