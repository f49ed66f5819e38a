//! The load of a level in words.

use plimsoll_core::load::{Load, LoadUnit, without_dust};

use crate::lang::Lang;
use crate::number::duration;

/// `48 streams`, `48 路`; `20 req/s`, `20 请求/秒`.
pub fn load_text(load: Load, lang: Lang) -> String {
    match (lang, load) {
        (Lang::En, _) => load.to_string(),
        (Lang::Zh, Load::Streams(streams)) => format!("{streams} 路"),
        (Lang::Zh, Load::RatePerS(rate)) => format!("{} 请求/秒", without_dust(rate)),
    }
}

/// What loads count, as the name of their number: `streams`, `users`, `req/s`.
pub(crate) fn counted(unit: LoadUnit, lang: Lang) -> &'static str {
    match unit {
        LoadUnit::Streams => lang.pick("streams", "并发"),
        LoadUnit::Users => lang.pick("users", "用户数"),
        LoadUnit::RatePerS => lang.pick("req/s", "请求/秒"),
    }
}

/// Streams that think, after their number: `each waits 1 min on the average …`.
pub(crate) fn think_text(think_s: f64, lang: Lang) -> String {
    let think = duration(think_s, lang);
    lang.pick(
        format!("each waits {think} on the average before its next request"),
        format!("每个用户在两次请求之间平均停顿 {think}"),
    )
}
