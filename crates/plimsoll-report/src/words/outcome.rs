//! How a request ended, in words.

use plimsoll_core::outcome::Outcome;

use crate::lang::Lang;

/// The words for a key of a level's counts; a key that is none of today's stays as it is.
pub(crate) fn outcome(key: &str, lang: Lang) -> String {
    match (Outcome::from_key(key), lang) {
        (Some(outcome), Lang::En) => en(outcome),
        (Some(outcome), Lang::Zh) => zh(outcome),
        (None, _) => key.to_owned(),
    }
}

fn en(outcome: Outcome) -> String {
    let text = match outcome {
        Outcome::HttpStatus { status } => return format!("HTTP {status}"),
        Outcome::Completed => "completed",
        Outcome::Connect => "no connection",
        Outcome::Tls => "TLS failed",
        Outcome::Reset => "connection closed before the end",
        Outcome::TimedOut => "no end within the time limit",
        Outcome::Malformed => "malformed answer",
        Outcome::ErrorEvent => "error inside the stream",
        Outcome::EndedEarly => "ended without a finish reason",
        Outcome::Empty => "empty answer",
        Outcome::CutAtEnd => "cut by the test",
        Outcome::NeverSent => "never sent",
    };
    text.to_owned()
}

fn zh(outcome: Outcome) -> String {
    let text = match outcome {
        Outcome::HttpStatus { status } => return format!("HTTP {status}"),
        Outcome::Completed => "完成",
        Outcome::Connect => "连不上",
        Outcome::Tls => "TLS 失败",
        Outcome::Reset => "未结束就断开连接",
        Outcome::TimedOut => "超过单次请求时限",
        Outcome::Malformed => "应答格式错误",
        Outcome::ErrorEvent => "流中报错",
        Outcome::EndedEarly => "没有结束原因就中止",
        Outcome::Empty => "空应答",
        Outcome::CutAtEnd => "被测试截断",
        Outcome::NeverSent => "从未发出",
    };
    text.to_owned()
}
