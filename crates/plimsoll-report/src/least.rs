//! What a pass of an SLO takes at least, said before the load.

use std::time::Duration;

use plimsoll_core::judge::{Confidence, least_requests_for_a_pass};
use plimsoll_core::load::Load;
use plimsoll_core::slo::{Metric, Objective, Slo};

use crate::lang::Lang;
use crate::load::load_text;
use crate::number::{duration, in_thousands};
use crate::words;

/// A pass is not decided before this many request times.
const LEAST_REQUEST_TIMES: f64 = 8.0;
/// From this load on a pass takes no more requests.
const MANY_STREAMS: u32 = 32;

/// The requests that the strictest objective needs, none of them over its bound, and their time at
/// one stream and at many; `None` without an objective on a share of requests.
///
/// `request_time` is that of an idle server: under load it is longer, and so is a pass.
pub fn least_for_a_pass(
    slo: &Slo,
    confidence: Confidence,
    request_time: Duration,
    most_streams: u32,
    lang: Lang,
) -> Option<String> {
    let many = most_streams.min(MANY_STREAMS);
    let (objective, _) = slo
        .0
        .iter()
        .filter_map(|one| Some((one, least_requests_for_a_pass(one, many, confidence)?)))
        .max_by_key(|(_, requests)| *requests)?;
    let one = Need::of(objective, 1, confidence, request_time)?;
    let at_one = one.text(lang);
    let at_many = (many > 1)
        .then(|| Need::of(objective, many, confidence, request_time))
        .flatten()
        .map(|need| need.text(lang));
    let name = words::objective(objective, lang);
    let without = match (objective.metric, lang) {
        (Metric::Success, Lang::En) => "without a failure",
        (Metric::Success, Lang::Zh) => "一个都不失败",
        (_, Lang::En) => "without one over the bound",
        (_, Lang::Zh) => "一个都不超标",
    };
    Some(match (lang, at_many) {
        (Lang::En, None) => {
            format!("A pass of {name} takes at least {at_one}, {without}.")
        }
        (Lang::En, Some(at_many)) => format!(
            "A pass of {name} takes at least {at_one}, {without}; {at_many}, if requests take no \
             longer there."
        ),
        (Lang::Zh, None) => format!("要判定 {name} 达标，至少需要：{at_one}，{without}。"),
        (Lang::Zh, Some(at_many)) => format!(
            "要判定 {name} 达标，至少需要：{at_one}；{at_many}（假设请求不因并发变慢）。这些请求须{without}。"
        ),
    })
}

/// What a pass takes at one load.
struct Need {
    streams: u32,
    requests: u64,
    seconds: f64,
}

impl Need {
    fn of(
        objective: &Objective,
        streams: u32,
        confidence: Confidence,
        request_time: Duration,
    ) -> Option<Self> {
        let requests = least_requests_for_a_pass(objective, streams, confidence)?;
        let request_times = (requests as f64 / f64::from(streams)).max(LEAST_REQUEST_TIMES);
        Some(Self {
            streams,
            requests,
            seconds: request_time.as_secs_f64() * request_times,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let (requests, streams) = (in_thousands(self.requests as f64), self.streams);
        let time = duration(self.seconds.max(1.0), lang);
        let load = load_text(Load::Streams(streams), lang);
        lang.pick(
            format!("{requests} requests ({time}) at {load}"),
            format!("{streams} 路时 {requests} 个请求（{time}）"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(slo: &str, seconds: f64, most_streams: u32, lang: Lang) -> Option<String> {
        let slo: Slo = slo.parse().unwrap();
        let request_time = Duration::from_secs_f64(seconds);
        least_for_a_pass(
            &slo,
            Confidence::default(),
            request_time,
            most_streams,
            lang,
        )
    }

    #[test]
    fn the_strictest_objective_is_named_with_both_loads() {
        let text = said("ttft p95 <= 1s, success >= 99%", 6.0, 1_024, Lang::En).unwrap();
        // 1,009 requests of 6 s are 6,054 s; at 32 streams 189 s.
        assert_eq!(
            text,
            "A pass of success ≥ 99 % takes at least 1,009 requests (1 h 40 min) at 1 stream, \
             without a failure; 1,009 requests (3 min 9 s) at 32 streams, if requests take no \
             longer there."
        );
    }

    #[test]
    fn one_stream_needs_no_second_load() {
        let text = said("ttft p95 <= 1s", 1.0, 1, Lang::En).unwrap();
        assert_eq!(
            text,
            "A pass of ttft p95 ≤ 1 s takes at least 958 requests (15 min 58 s) at 1 stream, without \
             one over the bound."
        );
    }

    #[test]
    fn chinese_says_the_same() {
        let text = said("ttft p95 <= 1s", 1.0, 64, Lang::Zh).unwrap();
        assert_eq!(
            text,
            "要判定 ttft p95 ≤ 1 s 达标，至少需要：1 路时 958 个请求（15 分 58 秒）；32 路时 958 个请求\
             （30 秒）（假设请求不因并发变慢）。这些请求须一个都不超标。"
        );
    }

    #[test]
    fn means_have_no_such_price() {
        assert_eq!(said("ttft mean <= 1s", 1.0, 64, Lang::En), None);
    }
}
