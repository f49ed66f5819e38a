//! Why it broke, in words.

use plimsoll_core::verdict::{CauseKind, VerdictKind};

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
            words::cause(cause, self.lang),
            self.lang.pick(".", "。")
        ))
    }
}
