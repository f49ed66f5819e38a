//! Requests that hang.
//!
//! A request without its first token for longer than every latency bound, and far longer than its
//! peers, or one whose answer has stood still for far longer than any of theirs, is evidence while it
//! hangs: it counts as a failure that has not ended.

use std::time::Duration;

use crate::judge::{HangsAfter, LevelSample};
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
pub(super) const FEWEST: usize = 2;

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
        bound: longest_bound(slo),
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::Silence;
    use super::super::silence::silence;
    use super::*;
    use crate::judge::{Confidence, Reading};
    use crate::outcome::Outcome;
    use crate::record::Doubt;
    use crate::record::tests::record;

    pub(in super::super) fn at(ms: u64) -> Offset {
        Offset::from_nanos(ms * 1_000_000)
    }

    /// In flight since `sent` ms, without a token.
    pub(in super::super) fn waits(id: u64, sent: u64) -> InFlight {
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

    pub(in super::super) fn refused(done: u64) -> RequestRecord {
        let mut one = record(done, &[]);
        (one.sent, one.outcome) = (None, Outcome::Connect);
        one
    }

    pub(in super::super) fn ten_seconds<'a>(
        ended: &'a [RequestRecord],
        in_flight: &'a [InFlight],
    ) -> LevelSample<'a> {
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

    pub(in super::super) fn seen(
        ended: &[RequestRecord],
        in_flight: &[InFlight],
    ) -> (usize, Option<Silence>) {
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
}
