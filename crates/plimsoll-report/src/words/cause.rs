//! Why it broke, in words.

use plimsoll_core::verdict::{Cause, CauseDetail, CauseKind};

use super::{outcome, reason};
use crate::lang::Lang;

/// A cause with its figures, as the rest of a sentence.
pub(crate) fn cause(cause: &Cause, lang: Lang) -> String {
    let name = kind(cause.kind, lang);
    match &cause.detail {
        Some(figures) => {
            let comma = lang.pick(", ", "，");
            format!("{name}{comma}{}", detail(figures, lang))
        }
        None => name.to_owned(),
    }
}

fn kind(kind: CauseKind, lang: Lang) -> &'static str {
    match kind {
        CauseKind::SequenceCap => lang.pick(
            "the engine's cap on running sequences",
            "达到引擎同时运行的序列数上限",
        ),
        CauseKind::KvCache => lang.pick("KV cache full", "KV 缓存已满"),
        CauseKind::QueueOrPrefill => lang.pick(
            "requests wait before their first token (queue or prefill)",
            "请求卡在首字之前（排队或预填充）",
        ),
        CauseKind::Decode => lang.pick("decode", "解码（decode）随并发变慢"),
        CauseKind::Failures => lang.pick("requests fail", "请求失败"),
        CauseKind::RateLimit => lang.pick("rate limit", "服务端限流"),
        CauseKind::Client => lang.pick("the client", "压测客户端"),
    }
}

fn detail(detail: &CauseDetail, lang: Lang) -> String {
    match lang {
        Lang::En => en(detail),
        Lang::Zh => zh(detail),
    }
}

fn en(detail: &CauseDetail) -> String {
    match detail {
        CauseDetail::Void { reason: why } => reason(why, Lang::En),
        CauseDetail::Refused { refused, of } => {
            format!("{refused} of {of} requests were refused with 429")
        }
        CauseDetail::Failed {
            failed,
            of,
            most_by,
            most,
        } => {
            let name = outcome(most_by, Lang::En);
            format!("{failed} of {of} failed, most by {name} ({most})")
        }
        CauseDetail::Preemptions { per_min } => format!("{per_min:.0} preemptions/min"),
        CauseDetail::WaitForCache { waiting } => {
            format!("{waiting:.0} requests waiting for cache")
        }
        CauseDetail::Queue { running, waiting } => {
            format!("{running:.0} running, {waiting:.0} waiting")
        }
        CauseDetail::Latencies {
            ttft_p95_ratio: ttft,
            tpot_ratio: tpot,
            load_ratio: load,
        } => format!("ttft p95 ×{ttft:.2}, tpot ×{tpot:.2} for {load:.2}× the load"),
    }
}

fn zh(detail: &CauseDetail) -> String {
    match detail {
        CauseDetail::Void { reason: why } => reason(why, Lang::Zh),
        CauseDetail::Refused { refused, of } => {
            format!("{of} 个请求中有 {refused} 个被 429 拒绝")
        }
        CauseDetail::Failed {
            failed,
            of,
            most_by,
            most,
        } => {
            let name = outcome(most_by, Lang::Zh);
            format!("{of} 个请求中有 {failed} 个失败，最多的是 {name}（{most} 个）")
        }
        CauseDetail::Preemptions { per_min } => format!("每分钟抢占 {per_min:.0} 次"),
        CauseDetail::WaitForCache { waiting } => format!("{waiting:.0} 个请求在等缓存"),
        CauseDetail::Queue { running, waiting } => {
            format!("运行 {running:.0} 个、排队 {waiting:.0} 个")
        }
        CauseDetail::Latencies {
            ttft_p95_ratio: ttft,
            tpot_ratio: tpot,
            load_ratio: load,
        } => format!("负载增至 {load:.2} 倍时，ttft p95 增至 {ttft:.2} 倍、tpot 增至 {tpot:.2} 倍"),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::level::Reason;

    use super::*;

    #[test]
    fn every_detail() {
        let all = [
            CauseDetail::Void {
                reason: Reason::NoRequestEnded,
            },
            CauseDetail::Refused {
                refused: 12,
                of: 80,
            },
            CauseDetail::Failed {
                failed: 9,
                of: 80,
                most_by: "http_500".to_owned(),
                most: 7,
            },
            CauseDetail::Preemptions { per_min: 14.2 },
            CauseDetail::WaitForCache { waiting: 31.0 },
            CauseDetail::Queue {
                running: 47.0,
                waiting: 16.6,
            },
            CauseDetail::Latencies {
                ttft_p95_ratio: 1.8,
                tpot_ratio: 1.1,
                load_ratio: 2.0,
            },
        ];
        let texts: Vec<String> = all
            .iter()
            .flat_map(|one| [detail(one, Lang::En), detail(one, Lang::Zh)])
            .collect();
        insta::assert_snapshot!(texts.join("\n"));
    }
}
