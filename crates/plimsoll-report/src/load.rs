//! The load of a level in words.

use plimsoll_core::level::Load;

use crate::lang::Lang;

/// `48 streams`, `48 路`; `20 req/s`, `20 请求/秒`.
pub fn load_text(load: Load, lang: Lang) -> String {
    match (lang, load) {
        (Lang::En, _) => load.to_string(),
        (Lang::Zh, Load::Streams(streams)) => format!("{streams} 路"),
        (Lang::Zh, Load::RatePerS(rate)) => format!("{rate} 请求/秒"),
    }
}
