//! What broke first, in words.

use plimsoll_core::level::Reason;
use plimsoll_core::verdict::BrokenBy;

use super::{objective_name, reason};
use crate::lang::Lang;
use crate::number::trimmed;

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
        BrokenBy::ServerGone => "connections are refused".to_owned(),
        BrokenBy::Level(why) => reason(why, Lang::En),
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
        BrokenBy::ServerGone => "连接被拒绝".to_owned(),
        BrokenBy::Level(Reason::Objective { objective }) => objective_name(objective, Lang::Zh),
        BrokenBy::Level(why) => reason(why, Lang::Zh),
    }
}
