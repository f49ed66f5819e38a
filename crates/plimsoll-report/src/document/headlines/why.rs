//! Which limit binds, and what to change, in the words of the engine that was measured.

use plimsoll_core::verdict::{CauseDetail, CauseKind, VerdictKind};

use super::Teller;
use crate::words;

impl Teller<'_> {
    /// The cause with what to change; `None` where the limit has said it, or none was looked for.
    pub(super) fn why(&self) -> Option<String> {
        if matches!(
            self.verdict.kind,
            VerdictKind::ClientLimited | VerdictKind::ServerGone | VerdictKind::Inconclusive
        ) {
            return None;
        }
        let Some(cause) = &self.verdict.cause else {
            let is_asked = matches!(
                self.verdict.kind,
                VerdictKind::Capacity | VerdictKind::BelowFirst
            );
            let text = self.lang.pick("not clear", "不明");
            return is_asked.then(|| text.to_owned());
        };
        let what = self.what(cause.kind, cause.detail.as_ref());
        let what = what.unwrap_or_else(|| words::cause(cause, self.lang));
        let alone = if cause.from_metrics || !is_guess(cause.kind) {
            ""
        } else {
            self.lang
                .pick(" (by the latencies alone)", "（仅凭时延推断）")
        };
        Some(match self.change(cause.kind) {
            Some(change) => self.lang.pick(
                format!("{what}{alone}: {change}"),
                format!("{what}{alone}。可{change}"),
            ),
            None => format!("{what}{alone}"),
        })
    }

    /// A sentence where the figures make one.
    fn what(&self, kind: CauseKind, detail: Option<&CauseDetail>) -> Option<String> {
        match (kind, detail?) {
            (CauseKind::SequenceCap, CauseDetail::Queue { running, waiting }) => {
                Some(self.lang.pick(
                    format!("the engine runs {running:.0} sequences at once, {waiting:.0} wait"),
                    format!("引擎同时只运行 {running:.0} 个序列，另有 {waiting:.0} 个在排队"),
                ))
            }
            _ => None,
        }
    }

    /// What to change; `None` where nothing follows from the cause.
    fn change(&self, kind: CauseKind) -> Option<String> {
        let engine = Engine::of(self.run.server.kind.as_deref());
        let (option, en, zh) = match kind {
            CauseKind::SequenceCap => (engine.sequences(), "or add a replica", "或增加副本"),
            CauseKind::KvCache => (engine.cache(), "or add a replica", "或增加副本"),
            CauseKind::RateLimit => {
                let text = self.lang.pick(
                    "raise the limit if it is yours",
                    "调高限流值（如果由你管理）",
                );
                return Some(text.to_owned());
            }
            CauseKind::Decode | CauseKind::QueueOrPrefill => {
                let text = self
                    .lang
                    .pick("add a replica, or a faster card", "增加副本或换更快的卡");
                return Some(text.to_owned());
            }
            CauseKind::Failures | CauseKind::Client => return None,
        };
        Some(match option {
            Some(option) => self.lang.pick(
                format!("raise {option} {en}"),
                format!("调高 {option} {zh}"),
            ),
            None => self
                .lang
                .pick(
                    "raise that cap, or add a replica",
                    "调高这一上限，或增加副本",
                )
                .to_owned(),
        })
    }
}

/// Whether a cause of this kind is a guess where metrics do not say it.
fn is_guess(kind: CauseKind) -> bool {
    matches!(kind, CauseKind::QueueOrPrefill | CauseKind::Decode)
}

/// Engines whose options are known here.
#[derive(Clone, Copy)]
enum Engine {
    Vllm,
    Sglang,
    LlamaCpp,
    Ollama,
    Other,
}

impl Engine {
    /// By the server's own name of its kind.
    fn of(kind: Option<&str>) -> Self {
        match kind {
            Some("vllm") => Self::Vllm,
            Some("sglang") => Self::Sglang,
            Some("llama.cpp") => Self::LlamaCpp,
            Some("ollama") => Self::Ollama,
            _ => Self::Other,
        }
    }

    /// The option that caps running sequences (each engine's own documentation of its server).
    fn sequences(self) -> Option<&'static str> {
        match self {
            Self::Vllm => Some("--max-num-seqs"),
            Self::Sglang => Some("--max-running-requests"),
            Self::LlamaCpp => Some("--parallel"),
            Self::Ollama => Some("OLLAMA_NUM_PARALLEL"),
            Self::Other => None,
        }
    }

    /// The option that gives the KV cache more memory.
    fn cache(self) -> Option<&'static str> {
        match self {
            Self::Vllm => Some("--gpu-memory-utilization"),
            Self::Sglang => Some("--mem-fraction-static"),
            Self::LlamaCpp => Some("--ctx-size"),
            Self::Ollama | Self::Other => None,
        }
    }
}
