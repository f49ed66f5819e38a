//! nginx with a limit on connections in front of a server: what is too much gets its page, at once.

use std::io;

use super::super::ask::Ask;
use super::super::case::{Case, check, find, try_all};
use super::super::openai::{Pace, answer_then, models};
use super::super::places::Places;
use super::super::right::Right::{AllCompleted, Also, Exit, Says, SomeEndedAs};
use super::super::say::Say;
use super::super::told::Told;

/// What `limit_conn` allows, of requests that are being answered.
const MOST: u32 = 8;
const PACE: Pace = Pace {
    first_ms: 60,
    ..Pace::DEFAULT
};
const PAGE: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n\
    <center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx/1.26.3</center>\r\n\
    </body>\r\n</html>\r\n";

fn script() -> impl Fn(&Ask, &mut Say<'_>) -> io::Result<()> {
    let places = Places::new(MOST);
    move |ask, say| {
        if ask.is_models() {
            return say.json(200, &models(&["m"]));
        }
        if !ask.is_generation() {
            return say.not_found();
        }
        match places.take() {
            Some(place) => answer_then(ask, say, PACE, || drop(place)),
            None => say.page(503, "text/html", PAGE),
        }
    }
}

/// The cap that is advised is one that the gateway takes.
fn cap_is_taken(told: &Told) -> bool {
    told.cap().is_none_or(|cap| cap <= MOST.into())
}

#[test]
#[ignore = "not run: minutes of pauses, `just cases`"]
fn a_gateway_with_a_limit() {
    try_all(vec![Case::new(
        "nginx with limit_conn 8",
        script(),
        [
            check().with("--concurrency 8 --for 2s").is(&[AllCompleted]),
            check().with("--concurrency 16 --for 3s").is(&[
                Exit(&[3, 5]),
                SomeEndedAs("http_503"),
                Says("503 Service Temporarily Unavailable"),
            ]),
            find().with("--max-concurrency 32 --budget 15s").is(&[
                Exit(&[0, 5]),
                Also(cap_is_taken),
                SomeEndedAs("http_503"),
                Says("HTTP 503"),
                Says("503 Service Temporarily"),
            ]),
        ],
    )]);
}
