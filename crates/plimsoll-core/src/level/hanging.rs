//! Requests that hang, and a server that has fallen silent.
//!
//! A request without its first token for longer than every latency bound, and far longer than its
//! peers, or one whose answer has stood still for far longer than any of theirs, is evidence while it
//! hangs: it counts as a failure that has not ended. If nothing at all is
//! answered since a moment, it is not the load that broke: the server is gone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::judge::{HangsAfter, LevelSample};
use crate::outcome::Outcome;
use crate::record::{InFlight, RequestRecord, TELLS_EVERY};
use crate::slo::{Metric, Slo};
use crate::time::Offset;

/// A request hangs if it waits for this many times the longest wait of a peer that was answered …
const OF_LONGEST: u32 = 3;
/// … and for this many times their mean wait …
const OF_MEAN: u32 = 10;
/// … and for this long in any case: a pause of the garbage collector is none.
const AT_LEAST: Duration = Duration::from_secs(1);
/// Where no peer was answered, the mean request time stands for their waits, and this is the least.
const WITHOUT_PEERS: Duration = Duration::from_secs(5);
/// An answer that has begun hangs after this long in any case, of which its latest output may be
/// untold for a second: a server may pause for seconds, and all answers with it.
const AT_LEAST_WITHIN: Duration = Duration::from_secs(6);
/// A request stands still after this long in any case.
const STILL: Duration = Duration::from_millis(250);
/// One request that hangs does not tell a server that is gone from one that lost it.
const FEWEST: usize = 2;

/// Since when nothing was answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Silence {
    /// The last moment at which the server was heard, seconds since the run's start.
    pub since_s: f64,
    /// Whether it takes no connections any more; else it takes requests and does not answer.
    pub refuses: bool,
}

/// When a request hangs: silent for longer than every latency bound, and far longer than its peers.
pub(super) fn hangs_after(
    slo: &Slo,
    ended: &[RequestRecord],
    in_flight: &[InFlight],
    request_time: Duration,
) -> HangsAfter {
    let gaps_ms = ended.iter().filter_map(RequestRecord::stall_ms);
    let longest_ms = gaps_ms.fold(0.0, f64::max);
    let longest = Duration::try_from_secs_f64(longest_ms / 1e3).unwrap_or_default();
    HangsAfter {
        sent: waits_for(slo, ended, in_flight, request_time),
        heard: (longest * OF_LONGEST).max(AT_LEAST_WITHIN),
    }
}

/// How long a request waits for its first output when it hangs.
fn waits_for(
    slo: &Slo,
    ended: &[RequestRecord],
    in_flight: &[InFlight],
    request_time: Duration,
) -> Duration {
    let waits = ended
        .iter()
        .filter_map(|one| Some(one.first()?.since(one.sent?)))
        .chain(
            in_flight
                .iter()
                .filter_map(|one| Some(one.first?.since(one.sent?))),
        );
    let (mut longest, mut sum, mut count) = (Duration::ZERO, Duration::ZERO, 0);
    for wait in waits {
        longest = longest.max(wait);
        sum += wait;
        count += 1;
    }
    let by_peers = if count == 0 {
        (request_time * OF_MEAN).max(WITHOUT_PEERS)
    } else {
        (longest * OF_LONGEST).max(sum / count * OF_MEAN)
    };
    by_peers.max(longest_bound(slo)).max(AT_LEAST)
}

/// The longest latency bound that a wait alone can break.
fn longest_bound(slo: &Slo) -> Duration {
    let waits = |metric| matches!(metric, Metric::Ttft | Metric::E2e);
    let bounds = slo.0.iter().filter(|one| waits(one.metric));
    bounds
        .filter_map(|one| Duration::try_from_secs_f64(one.bound / 1e3).ok())
        .max()
        .unwrap_or_default()
}

/// The requests that hang at the end of a level: how many, and since when the first of them waits.
pub(super) fn hanging(sample: &LevelSample<'_>) -> Option<(usize, Offset)> {
    let hang = || {
        let in_flight = sample.in_flight.iter();
        in_flight.filter(|one| sample.hangs_since(one).is_some())
    };
    let first = hang().filter_map(|one| one.heard.or(one.sent)).min()?;
    Some((hang().count(), first))
}

/// All requests in flight at the end of a level that stand still for far longer than any took that
/// ended, though not yet for as long as one that hangs: how many, and since when the first of them
/// does. Nothing that was seen before speaks for the server then.
pub(super) fn standing_still(sample: &LevelSample<'_>) -> Option<(usize, Offset)> {
    let took = |one: &RequestRecord| Some(one.done.since(one.sent?));
    let completed = sample.ended.iter().filter(|one| one.outcome.is_completed());
    let longest = completed.filter_map(took).max()?;
    let sent = sample.in_flight.iter().filter(|one| one.sent.is_some());
    // One alone may be a long one, or wait for a packet that was lost.
    let least = if sent.count() < FEWEST {
        AT_LEAST
    } else {
        STILL
    };
    let still = (longest * OF_LONGEST).max(least) + sample.unread;
    let mut first = None;
    let mut count = 0;
    for one in sample.in_flight {
        let Some(sent) = one.sent else { continue };
        // What an answer that has begun has brought since then may be untold.
        let (since, untold) = match one.heard.or(one.first) {
            Some(heard) => (heard, TELLS_EVERY),
            None => (sent, Duration::ZERO),
        };
        if sample.to.since(since) <= still + untold {
            return None;
        }
        first = Some(first.map_or(since, |first: Offset| first.min(since)));
        count += 1;
    }
    first.map(|first| (count, first))
}

/// Since when the server is silent, at the end of `sample`; `None` if it is not known to be.
pub(super) fn silence(sample: &LevelSample<'_>, started_at: Offset) -> Option<Silence> {
    let heard = sample
        .ended
        .iter()
        .filter_map(|one| Some((one.sent?, heard_at(one)?)));
    let flying = sample
        .in_flight
        .iter()
        .filter_map(|one| Some((one.sent?, one.heard.or(one.first)?)));
    // When the latest request was sent that was answered, and when the server was last heard.
    let (mut answered, mut last) = (None, started_at);
    for (sent, at) in heard.chain(flying) {
        answered = answered.max(Some(sent));
        last = last.max(at);
    }
    let is_refused = refuses_since(sample, last);
    let sent = || sample.in_flight.iter().filter(|one| one.sent.is_some());
    let all_hang = sent().all(|one| sample.hangs_since(one).is_some());
    let hangs = hanging(sample).is_some_and(|(count, first)| {
        // Requests sent at the same time may be taken in any order.
        let after = |sent: Offset| sent > first + sample.request_time;
        count >= FEWEST && !answered.is_some_and(after)
    });
    (all_hang && (is_refused || hangs)).then(|| Silence {
        since_s: last.as_secs_f64(),
        refuses: is_refused,
    })
}

/// When a request showed that the server is there; `None` if it did not.
fn heard_at(record: &RequestRecord) -> Option<Offset> {
    let spoke = match record.outcome {
        Outcome::Connect
        | Outcome::Tls
        | Outcome::Reset
        | Outcome::TimedOut
        | Outcome::CutAtEnd
        | Outcome::NeverSent => false,
        Outcome::Completed
        | Outcome::HttpStatus { .. }
        | Outcome::Malformed
        | Outcome::ErrorEvent
        | Outcome::EndedEarly
        | Outcome::Empty => true,
    };
    if spoke {
        Some(record.done)
    } else {
        record.heard
    }
}

/// Whether connections have been refused, and nothing else, since the server was last heard.
fn refuses_since(sample: &LevelSample<'_>, last: Offset) -> bool {
    let since = || sample.ended.iter().filter(|one| one.done > last);
    let refused = since().filter(|one| one.outcome == Outcome::Connect);
    refused.count() >= FEWEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Confidence, Reading};
    use crate::record::Doubt;
    use crate::record::tests::record;

    fn at(ms: u64) -> Offset {
        Offset::from_nanos(ms * 1_000_000)
    }

    /// In flight since `sent` ms, without a token.
    fn waits(id: u64, sent: u64) -> InFlight {
        InFlight {
            id,
            level: 0,
            stream: 0,
            due: at(sent),
            ready: at(sent),
            sent: Some(at(sent)),
            first: None,
            heard: None,
            doubt: Doubt::default(),
        }
    }

    fn refused(done: u64) -> RequestRecord {
        let mut one = record(done, &[]);
        (one.sent, one.outcome) = (None, Outcome::Connect);
        one
    }

    fn ten_seconds<'a>(ended: &'a [RequestRecord], in_flight: &'a [InFlight]) -> LevelSample<'a> {
        LevelSample {
            ended,
            in_flight,
            from: at(0),
            to: at(10_000),
            request_time: Duration::from_millis(100),
            draws: &[],
            confidence: Confidence::default(),
            reading: Reading::Stamped,
            unread: Duration::ZERO,
            hangs_after: None,
        }
    }

    #[test]
    fn all_that_is_in_flight_stands_still_far_beyond_what_any_took() {
        let still = |ended: &[RequestRecord], in_flight: &[InFlight]| {
            standing_still(&ten_seconds(ended, in_flight)).map(|(count, _)| count)
        };
        // They took 30 ms, so that 250 are far more.
        let ended = [record(0, &[20, 30]), record(100, &[120, 130])];
        assert_eq!(still(&ended, &[waits(1, 9_700), waits(2, 9_740)]), Some(2));
        assert_eq!(still(&ended, &[waits(1, 9_700), waits(2, 9_760)]), None);
        assert_eq!(still(&ended, &[]), None);
        assert_eq!(still(&[], &[waits(1, 9_000)]), None, "nothing to go by");
        let slow = [record(0, &[20, 2_000])];
        assert_eq!(still(&slow, &[waits(1, 5_000)]), None);
        // Of an answer that has begun, a second may be untold.
        let begun = |heard| InFlight {
            first: Some(at(8_000)),
            heard: Some(at(heard)),
            ..waits(1, 7_990)
        };
        assert_eq!(still(&ended, &[begun(8_700), begun(8_700)]), Some(2));
        assert_eq!(still(&ended, &[begun(8_700), begun(8_760)]), None);
        assert_eq!(still(&ended, &[waits(1, 8_900)]), Some(1));
        assert_eq!(still(&ended, &[waits(1, 9_100)]), None, "one alone");
        let unread = LevelSample {
            unread: Duration::from_millis(100),
            ..ten_seconds(&ended, &[])
        };
        let waiting = [waits(1, 9_700), waits(2, 9_700)];
        let paused = LevelSample {
            in_flight: &waiting,
            ..unread
        };
        assert_eq!(
            standing_still(&paused),
            None,
            "the client stood still itself"
        );
    }

    fn seen(ended: &[RequestRecord], in_flight: &[InFlight]) -> (usize, Option<Silence>) {
        let slo: Slo = "ttft p95 <= 2s".parse().unwrap();
        let request_time = Duration::from_millis(100);
        let sample = LevelSample {
            hangs_after: Some(hangs_after(&slo, ended, in_flight, request_time)),
            ..ten_seconds(ended, in_flight)
        };
        let count = hanging(&sample).map_or(0, |(count, _)| count);
        (count, silence(&sample, at(0)))
    }

    #[test]
    fn a_request_hangs_beyond_every_bound_and_far_beyond_its_peers() {
        let slo: Slo = "ttft p95 <= 2s, e2e p95 <= 4s".parse().unwrap();
        let none: Slo = "tpot p95 <= 50ms".parse().unwrap();
        let request_time = Duration::from_millis(100);
        let after = |slo, ended: &[RequestRecord]| waits_for(slo, ended, &[], request_time);
        let (fast, slow) = (record(0, &[20, 30]), record(0, &[5_000, 5_010]));
        assert_eq!(after(&slo, std::slice::from_ref(&fast)).as_millis(), 4_000);
        assert_eq!(after(&none, std::slice::from_ref(&fast)).as_millis(), 1_000);
        assert_eq!(after(&slo, &[fast, slow]).as_millis(), 25_100);
        assert_eq!(after(&none, &[]).as_millis(), 5_000, "nobody was answered");
    }

    /// Gaps of 10 ms between outputs, or one of 4 s.
    #[test]
    fn an_answer_hangs_that_stands_still_far_longer_than_any_other_did() {
        let smooth = record(0, &[20, 30, 40]);
        let stalls = record(0, &[20, 4_020]);
        let begun = |heard: Option<Offset>| InFlight {
            first: Some(at(20)),
            heard,
            ..waits(61, 0)
        };
        let hanging_at_10_s = |ended: &[RequestRecord], one| seen(ended, &[one]).0;
        let with_smooth = |one| hanging_at_10_s(std::slice::from_ref(&smooth), one);
        assert_eq!(with_smooth(begun(Some(at(20)))), 1);
        assert_eq!(with_smooth(begun(Some(at(4_100)))), 0, "5.9 s");
        assert_eq!(with_smooth(begun(None)), 0, "nobody tells");
        assert_eq!(hanging_at_10_s(&[stalls], begun(Some(at(20)))), 0);
    }

    #[test]
    fn streams_that_hang_one_by_one_are_no_silent_server() {
        let answered: Vec<_> = (0..60).map(|i| record(i * 50, &[i * 50 + 20])).collect();
        let (count, silence) = seen(&answered, &[waits(61, 500), waits(62, 2_990)]);
        assert_eq!(
            (count, silence),
            (2, None),
            "2490 ms of answers lie between"
        );
    }

    #[test]
    fn a_server_that_answers_nobody_since_a_moment_is_silent() {
        let answered: Vec<_> = (0..60).map(|i| record(i * 50, &[i * 50 + 20])).collect();
        let (count, silence) = seen(&answered, &[waits(61, 2_940), waits(62, 2_990)]);
        assert_eq!(count, 2);
        let silence = silence.unwrap();
        assert!(!silence.refuses);
        assert!((silence.since_s - 2.97).abs() < 1e-9, "{silence:?}");
        let (_, one) = seen(&answered, &[waits(61, 2_990)]);
        assert_eq!(one, None, "one request may be lost");
        let (_, young) = seen(&answered, &[waits(61, 2_940), waits(62, 9_990)]);
        assert_eq!(young, None, "one of them may still be answered");
    }

    #[test]
    fn a_server_that_refuses_connections_is_silent_at_once() {
        let mut ended: Vec<_> = (0..60).map(|i| record(i * 150, &[i * 150 + 20])).collect();
        ended.extend([refused(9_000), refused(9_990)]);
        let (_, silence) = seen(&ended, &[]);
        let silence = silence.unwrap();
        assert!(silence.refuses && (silence.since_s - 8.87).abs() < 1e-9);
        ended.push(record(9_991, &[9_995]));
        assert_eq!(seen(&ended, &[]).1, None, "it is back");
    }
}
