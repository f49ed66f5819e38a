//! Why it broke, in words.

use plimsoll_core::verdict::{Cause, CauseKind, VerdictKind};

use super::Answer;
use crate::lang::Lang;
use crate::words;

impl Answer<'_> {
    pub(super) fn cause(&self) -> Option<String> {
        let kind = self.verdict.kind;
        let Some(cause) = &self.verdict.cause else {
            let is_asked = matches!(kind, VerdictKind::Capacity | VerdictKind::BelowFirst);
            return is_asked.then(|| self.lang.pick("Cause not clear.", "原因不明。").to_owned());
        };
        // These have said it already.
        if matches!(
            kind,
            VerdictKind::ClientLimited | VerdictKind::ResourcesExhausted | VerdictKind::ServerGone
        ) {
            return None;
        }
        let by_latencies = !cause.from_metrics
            && matches!(cause.kind, CauseKind::QueueOrPrefill | CauseKind::Decode);
        let start = match (self.lang, by_latencies) {
            (Lang::En, false) => "Cause: ",
            (Lang::En, true) => "Cause, by the latencies alone: ",
            (Lang::Zh, false) => "原因：",
            (Lang::Zh, true) => "原因（仅凭时延推断）：",
        };
        Some(format!(
            "{start}{}{}",
            self.cause_and_detail(cause),
            self.lang.pick(".", "。")
        ))
    }

    pub(super) fn cause_and_detail(&self, cause: &Cause) -> String {
        let name = match cause.kind {
            CauseKind::SequenceCap => self.lang.pick(
                "the engine's cap on running sequences",
                "达到引擎同时运行的序列数上限",
            ),
            CauseKind::KvCache => self.lang.pick("KV cache full", "KV 缓存已满"),
            CauseKind::QueueOrPrefill => self.lang.pick(
                "requests wait before their first token (queue or prefill)",
                "请求卡在首字之前（排队或预填充）",
            ),
            CauseKind::Decode => self.lang.pick("decode", "解码（decode）随并发变慢"),
            CauseKind::Failures => self.lang.pick("requests fail", "请求失败"),
            CauseKind::RateLimit => self.lang.pick("rate limit", "服务端限流"),
            CauseKind::Client => self.lang.pick("the client", "压测客户端"),
        };
        match &cause.detail {
            Some(detail) => {
                let comma = self.lang.pick(", ", "，");
                format!("{name}{comma}{}", words::detail(detail, self.lang))
            }
            None => name.to_owned(),
        }
    }
}
