//! What preflight tells before the load, in a line each.

use plimsoll_core::protocol::Feature;
use plimsoll_load::preflight::News;
use plimsoll_report::duration;
use plimsoll_report::lang::Lang;

/// A piece of news.
pub(super) fn line(news: &News, lang: Lang) -> String {
    match (news, lang) {
        (
            News::Waiting {
                status,
                said,
                pause,
                left,
            },
            Lang::En,
        ) => format!(
            "The server is not ready: it answers {status} “{said}”. Asking again in {}; at most {} \
             more (--wait).",
            duration(pause.as_secs_f64(), lang),
            duration(left.as_secs_f64(), lang)
        ),
        (
            News::Waiting {
                status,
                said,
                pause,
                left,
            },
            Lang::Zh,
        ) => format!(
            "服务还没准备好：回答 {status}「{said}」。{} 后再问；最多还等 {}（--wait）。",
            duration(pause.as_secs_f64(), lang),
            duration(left.as_secs_f64(), lang)
        ),
        (News::Moved { to }, Lang::En) => {
            format!("The server redirects to {to}; requests go there at once.")
        }
        (News::Moved { to }, Lang::Zh) => format!("服务重定向到 {to}；请求直接发往那里。"),
    }
}

/// What the server does not take, with its own words.
pub(super) fn left_out(left_out: &[(Feature, String)], lang: Lang) -> String {
    let one = |(feature, said): &(Feature, String)| match (said.is_empty(), lang) {
        (true, _) => feature.to_string(),
        (false, Lang::En) => format!("{feature} (“{said}”)"),
        (false, Lang::Zh) => format!("{feature}（「{said}」）"),
    };
    let all: Vec<String> = left_out.iter().map(one).collect();
    match lang {
        Lang::En => format!(
            "Left out, as the server does not take it: {}.",
            all.join(", ")
        ),
        Lang::Zh => format!("服务不接受，因此不发送：{}。", all.join("、")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn news_say_what_is_going_on() {
        let waiting = News::Waiting {
            status: 503,
            said: "Loading model".to_owned(),
            pause: Duration::from_secs(2),
            left: Duration::from_secs(298),
        };
        let said = line(&waiting, Lang::En);
        for part in ["503", "Loading model", "in 2 s", "4 min 58 s"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(line(&waiting, Lang::Zh).contains("「Loading model」"));
        let out = [
            (Feature::IgnoreEos, "no such field".to_owned()),
            (Feature::TokenIds, String::new()),
        ];
        assert_eq!(
            left_out(&out, Lang::En),
            "Left out, as the server does not take it: ignore_eos (“no such field”), token ids."
        );
    }
}
