//! A server that answers nobody any more: one that is known to be silent, and one of which nothing has
//! come for so long that a level cannot end on it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hanging::{FEWEST, hanging};
use crate::judge::{Decision, HangsAfter, LevelSample, conjunction, judge};
use crate::outcome::Outcome;
use crate::record::{InFlight, RequestRecord, TELLS_EVERY};
use crate::slo::Slo;
use crate::time::Offset;

/// The server is quiet when nothing has come for this many times the longest that anybody waited …
const OF_LONGEST: u32 = 3;
/// … and for this long in any case.
const QUIET: Duration = Duration::from_millis(1_500);

/// Since when nothing was answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Silence {
    /// The last moment at which the server was heard, seconds since the run's start; where nothing
    /// came on the level, when that started.
    pub since_s: f64,
    /// Whether it takes no connections any more; else it takes requests and does not answer.
    pub refuses: bool,
}

/// When the server was heard on a level.
struct Heard {
    /// When the latest request was sent that was answered.
    answered: Option<Offset>,
    /// The last moment; where there is none, when the level started.
    last: Offset,
}

impl Heard {
    fn of(sample: &LevelSample<'_>, started_at: Offset) -> Self {
        let ended = sample.ended.iter();
        let ended = ended.filter_map(|one| Some((one.sent?, heard_at(one)?)));
        let flying = sample.in_flight.iter();
        let flying = flying.filter_map(|one| Some((one.sent?, one.heard.or(one.first)?)));
        let mut heard = Self {
            answered: None,
            last: started_at,
        };
        for (sent, at) in ended.chain(flying) {
            heard.answered = heard.answered.max(Some(sent));
            heard.last = heard.last.max(at);
        }
        heard
    }
}

/// Since when the server is silent, at the end of `sample`; `None` if it is not known to be.
pub(super) fn silence(sample: &LevelSample<'_>, started_at: Offset) -> Option<Silence> {
    let Heard { answered, last } = Heard::of(sample, started_at);
    let is_refused = refuses_since(sample, last);
    let hangs = hanging(sample).is_some_and(|(count, first)| {
        // Requests sent at the same time may be taken in any order.
        let after = |sent: Offset| sent > first + sample.request_time;
        count >= FEWEST && !answered.is_some_and(after)
    });
    let gave_up = answered.is_some() && has_given_up(sample, started_at, last);
    let hangs = hangs && is_listened_to(sample, started_at);
    let is_silent = gave_up || (is_refused || hangs) && all_hang(sample, last);
    is_silent.then(|| Silence {
        since_s: last.as_secs_f64(),
        refuses: is_refused,
    })
}

/// Whether all that is in flight hangs. Streams send nothing new while they wait; what arrives on a
/// schedule arrives all the same, and is no sign of a server.
fn all_hang(sample: &LevelSample<'_>, last: Offset) -> bool {
    let is_new_arrival =
        |one: &InFlight| one.is_on_schedule() && one.sent.is_some_and(|sent| sent > last);
    let mut sent = sample.in_flight.iter().filter(|one| one.sent.is_some());
    sent.all(|one| sample.hangs_since(one).is_some() || is_new_arrival(one))
}

/// Whether some of the arrivals that hang are of this level: what an earlier one left says nothing of
/// it.
fn is_listened_to(sample: &LevelSample<'_>, started_at: Offset) -> bool {
    let arrivals = || sample.in_flight.iter().filter(|one| one.is_on_schedule());
    let is_own = |one: &&InFlight| one.sent >= Some(started_at);
    let own = arrivals().filter(is_own);
    let hang = own.filter(|one| sample.hangs_since(one).is_some());
    arrivals().next().is_none() || hang.count() >= FEWEST
}

/// Whether requests of this level have passed their time limit since the server was last heard, and
/// that is as long ago as a request hangs after: streams that give up and ask again hang for less.
fn has_given_up(sample: &LevelSample<'_>, started_at: Offset, last: Offset) -> bool {
    let hangs_after = |after: HangsAfter| last + after.sent <= sample.read_until();
    own_timed_out(sample, started_at, last) >= FEWEST && sample.hangs_after.is_some_and(hangs_after)
}

/// Whether so many requests of this level have passed their time limit since the server was last heard
/// that there is no word left to wait for.
pub(super) fn gives_up(sample: &LevelSample<'_>, started_at: Offset) -> bool {
    let last = Heard::of(sample, started_at).last;
    own_timed_out(sample, started_at, last) >= FEWEST
}

fn own_timed_out(sample: &LevelSample<'_>, started_at: Offset, last: Offset) -> usize {
    let is_own = |one: &&RequestRecord| one.sent >= Some(started_at);
    timed_out(sample, last).filter(is_own).count()
}

/// Requests that have passed their time limit since the server was last heard.
fn timed_out<'a>(
    sample: &'a LevelSample<'_>,
    last: Offset,
) -> impl Iterator<Item = &'a RequestRecord> {
    let is_one = move |one: &&RequestRecord| one.outcome == Outcome::TimedOut && one.done > last;
    sample.ended.iter().filter(is_one)
}

/// Since when the server is quiet, at the end of `sample`, where that leaves open what the level says:
/// it is not known to be silent, and what it said does not break the SLO by itself.
pub(super) fn open_since(
    slo: &Slo,
    sample: &LevelSample<'_>,
    (started_at, silence): (Offset, Option<Silence>),
) -> Option<Offset> {
    let quiet = quiet_since(sample, started_at).filter(|_| silence.is_none())?;
    let spoke = sample.ended.iter().filter(|one| heard_at(one).is_some());
    let ended: Vec<RequestRecord> = spoke.cloned().collect();
    let said = LevelSample {
        ended: &ended,
        in_flight: &[],
        ..sample.read(sample.reading)
    };
    (conjunction(&judge(slo, &said)) != Decision::Fail).then_some(quiet)
}

/// Since when nothing at all has come of what was sent, if that is far longer than anybody waited
/// before and than any bound allows, or if nothing ever came on this level. Where nobody tells what
/// has come of an answer, that is not known.
fn quiet_since(sample: &LevelSample<'_>, started_at: Offset) -> Option<Offset> {
    let mut flying = sample.in_flight.iter();
    if flying.any(|one| one.first.is_some() && one.heard.is_none()) {
        return None;
    }
    let Heard { answered, last } = Heard::of(sample, started_at);
    let quiet = match answered {
        Some(_) => {
            let bound = sample.hangs_after.map(|after| after.bound);
            // What came of an answer in its last second may be untold.
            let longest = longest_wait(sample) * OF_LONGEST + TELLS_EVERY;
            longest.max(QUIET).max(bound.unwrap_or_default())
        }
        // Not a word on this level: it has nothing to say before there is one.
        None => Duration::ZERO,
    } + sample.unread;
    let waits = |one: &InFlight| one.sent.is_some_and(|sent| sent + quiet <= sample.to);
    let is_waited = sample.in_flight.iter().any(waits) || timed_out(sample, last).next().is_some();
    (last + quiet <= sample.to && is_waited).then_some(last)
}

/// The longest that a word of the server was waited for: the first output or a refusal, or more of an
/// answer.
fn longest_wait(sample: &LevelSample<'_>) -> Duration {
    let ended = sample.ended.iter().flat_map(|one| {
        let word = one.first().or_else(|| heard_at(one)).zip(one.sent);
        let gap = one.outputs.and_then(|outputs| outputs.longest_gap);
        let wait = word.map(|(word, sent)| word.since(sent));
        wait.into_iter().chain(gap)
    });
    let flying = sample.in_flight.iter();
    let flying = flying.filter_map(|one| Some(one.first?.since(one.sent?)));
    ended.chain(flying).max().unwrap_or_default()
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
    use super::super::hanging::hangs_after;
    use super::super::hanging::tests::ten_seconds;
    use super::super::hanging::tests::{at, refused, seen, waits};
    use super::*;
    use crate::record::ON_SCHEDULE;
    use crate::record::tests::record;

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

    /// Two streams whose requests are given up after a second, and sent again.
    #[test]
    fn streams_that_give_up_do_not_make_a_silent_server_speak() {
        let gave_up = |id: u64, sent: u64| RequestRecord {
            id,
            outcome: Outcome::TimedOut,
            done: at(sent + 1_000),
            ..record(sent, &[])
        };
        let answered = (0..50).map(|i| record(i * 100, &[i * 100 + 20]));
        let given_up = (5..9).map(|i| gave_up(i, i * 1_000));
        let mut ended: Vec<_> = answered.chain(given_up).collect();
        let flying = [waits(90, 9_000), waits(91, 9_500)];
        let silence = seen(&ended, &flying).1.unwrap();
        assert!((silence.since_s - 4.92).abs() < 1e-9, "{silence:?}");
        let sample = ten_seconds(&ended, &flying);
        assert_eq!(quiet_since(&sample, at(0)), Some(at(4_920)));
        ended.push(record(8_600, &[8_990]));
        assert_eq!(seen(&ended, &flying).1, None, "one of them was answered");
    }

    /// Ten a second, of which those since 3 s are not answered: they arrive all the same.
    #[test]
    fn arrivals_do_not_make_a_silent_server_speak() {
        let arrival = |id: u64, sent: u64| InFlight {
            stream: ON_SCHEDULE,
            ..waits(id, sent)
        };
        let answered: Vec<_> = (0..30).map(|i| record(i * 100, &[i * 100 + 20])).collect();
        let flying: Vec<_> = (30..100).map(|i| arrival(i, i * 100)).collect();
        let (_, silence) = seen(&answered, &flying);
        let silence = silence.unwrap();
        assert!((silence.since_s - 2.92).abs() < 1e-9, "{silence:?}");
        let mut again = answered.clone();
        again.push(record(9_900, &[9_950]));
        assert_eq!(seen(&again, &flying).1, None, "one of them was answered");
        // What an earlier level left hanging is not enough: this one listens itself.
        let young: Vec<_> = (96..100).map(|i| arrival(i, i * 100)).collect();
        let carried = [arrival(1, 2_000), arrival(2, 2_100)];
        let all: Vec<_> = carried.into_iter().chain(young).collect();
        let slo: Slo = "ttft p95 <= 2s".parse().unwrap();
        let after = hangs_after(&slo, &answered, &all, Duration::from_millis(100));
        let sample = LevelSample {
            hangs_after: Some(after),
            ..ten_seconds(&answered, &all)
        };
        assert_eq!(super::silence(&sample, at(9_000)), None);
    }

    #[test]
    fn a_server_is_quiet_when_nothing_has_come_for_far_longer_than_anybody_waited() {
        let quiet = |ended: &[RequestRecord], in_flight: &[InFlight]| {
            quiet_since(&ten_seconds(ended, in_flight), at(0))
        };
        let ended = [record(0, &[20, 30]), record(8_000, &[8_020, 8_030])];
        assert_eq!(quiet(&ended, &[waits(1, 8_040)]), Some(at(8_030)));
        let slow = [record(0, &[800]), record(8_000, &[8_020, 8_030])];
        assert_eq!(quiet(&slow, &[waits(1, 8_040)]), None, "2.4 s are not over");
        let stalled = [record(0, &[20, 820]), record(8_000, &[8_020, 8_030])];
        assert_eq!(quiet(&stalled, &[waits(1, 8_040)]), None);
        assert_eq!(quiet(&ended, &[]), None, "nobody waits");
        assert_eq!(quiet(&ended, &[waits(1, 8_600)]), None, "not for long");
        assert_eq!(
            quiet(&[], &[waits(1, 9_900)]),
            Some(at(0)),
            "nothing ever came"
        );
        let begun = InFlight {
            first: Some(at(8_100)),
            ..waits(1, 8_040)
        };
        assert_eq!(
            quiet(&ended, &[begun]),
            None,
            "nobody tells what came since"
        );
        let told = InFlight {
            heard: Some(at(9_000)),
            ..begun
        };
        assert_eq!(quiet(&ended, &[told]), None);
    }
}
