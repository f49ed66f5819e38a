//! The life of a level on events made by hand: `request` ms long each, one stream after another.

use std::time::Duration;

use super::*;
use crate::judge::{Confidence, least_requests_for_a_pass};
use crate::outcome::Outcome;
use crate::record::tests::{end_of, record};

/// Mean request time of every load here, ms.
const R: u64 = 100;

fn at(ms: u64) -> Offset {
    Offset::from_nanos(ms * 1_000_000)
}

fn plan(streams: u32, hold: Hold) -> LevelPlan {
    LevelPlan {
        index: 3,
        purpose: Purpose::Ramp,
        load: Load::Streams(streams),
        open_loop: OpenLoop::default(),
        hold,
        request_time: Duration::from_millis(R),
        longest_hold: Duration::from_secs(30),
        longest: Duration::from_secs(86_400),
        settings: LevelSettings::default(),
    }
}

/// How a request of the load comes out.
#[derive(Clone, Copy)]
struct Answer {
    ttft: u64,
    outcome: Outcome,
    /// Sent − due, ms.
    lag: u64,
    /// How much earlier the first token may have come, ms.
    doubt: u64,
}

const GOOD: Answer = Answer {
    ttft: 10,
    outcome: Outcome::Completed,
    lag: 0,
    doubt: 0,
};
/// It never ends: no request of these streams is cut before it is sent.
const HANGS: Answer = Answer {
    outcome: Outcome::NeverSent,
    ..GOOD
};
const LATE: Answer = Answer { ttft: 60, ..GOOD };
const REFUSED: Answer = Answer {
    outcome: Outcome::HttpStatus { status: 429 },
    ..GOOD
};

/// Streams of requests `R` long, each sent as the last ended, phases spread evenly; ticked every
/// millisecond.
struct Driver {
    level: Level,
    now: u64,
    next_id: u64,
    /// Next or running request of each stream: id, due, sent.
    streams: Vec<(Option<u64>, u64)>,
}

impl Driver {
    fn start(plan: LevelPlan, slo: &str) -> Self {
        let count = u64::from(plan.streams());
        let streams = (0..count).map(|i| (None, i * R / count)).collect();
        Self {
            level: Level::start(plan, slo.parse().unwrap(), at(0), Vec::new()),
            now: 0,
            next_id: 0,
            streams,
        }
    }

    /// Runs until the level ends or `until` ms; `answer` of (number, time of sending).
    fn run(&mut self, until: u64, answer: impl Fn(u64, u64) -> Answer) -> Step {
        while self.now < until {
            self.now += 1;
            for stream in 0..self.streams.len() {
                self.move_stream(stream, &answer);
            }
            if self.level.tick(at(self.now)) == Step::End {
                return Step::End;
            }
        }
        Step::Hold
    }

    fn move_stream(&mut self, stream: usize, answer: &impl Fn(u64, u64) -> Answer) {
        let now = self.now;
        let (flying, since) = self.streams[stream];
        if let Some(id) = flying {
            let Answer {
                ttft,
                outcome,
                lag,
                doubt,
            } = answer(id, since);
            let sent = since + lag;
            if now == sent + ttft && outcome.is_completed() {
                self.level.apply(&LoadEvent::First {
                    id,
                    at: at(now),
                    doubt: crate::record::Doubt::default(),
                });
            }
            if now == sent + R && outcome != Outcome::NeverSent {
                let outputs_ms = [sent + ttft, now];
                let came = if outcome.is_completed() { 2 } else { 0 };
                let mut ended = record(sent, &outputs_ms[..came]);
                ended.done = at(now);
                ended.id = id;
                ended.stream = stream as u32;
                (ended.due, ended.ready) = (at(since), at(since));
                ended.outcome = outcome;
                ended.doubt.first = (doubt > 0).then(|| Duration::from_millis(doubt));
                self.level.apply(&end_of(ended));
                self.streams[stream] = (None, now);
            }
        }
        let (flying, since) = self.streams[stream];
        if flying.is_none() && since <= now {
            let id = self.next_id;
            self.next_id += 1;
            let lag = answer(id, now).lag;
            self.level.apply(&LoadEvent::Sent(InFlight {
                id,
                level: 3,
                stream: stream as u32,
                due: at(now),
                ready: at(now),
                sent: Some(at(now + lag)),
                first: None,
                heard: None,
                doubt: crate::record::Doubt::default(),
            }));
            self.streams[stream] = (Some(id), now);
        }
    }

    fn finish(self) -> LevelSummary {
        let finished = self
            .level
            .finish(at(self.now), ClientHealth::default(), None);
        assert!(finished.summary.requests.balance());
        assert_eq!(
            finished.summary.requests.carried_out,
            finished.in_flight.len() as u64
        );
        finished.summary
    }
}

const TTFT: &str = "ttft p95 <= 50ms";

#[test]
fn a_level_passes_through_its_phases_in_order() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    assert_eq!(load.level.phase(), Phase::Handover);
    load.run(149, |_, _| GOOD);
    assert_eq!(load.level.phase(), Phase::Handover, "1.5 R of handover");
    load.run(150, |_, _| GOOD);
    assert_eq!(load.level.phase(), Phase::Settle);
    load.run(249, |_, _| GOOD);
    assert_eq!(load.level.phase(), Phase::Settle, "one R of transient");
    load.run(252, |_, _| GOOD);
    assert_eq!(load.level.phase(), Phase::Window);
}

/// Four streams end forty requests a second, from the window's begin at 250 ms on.
#[test]
fn a_number_of_requests_ends_a_level() {
    let mut load = Driver::start(plan(4, Hold::Requests(50)), TTFT);
    assert_eq!(load.run(1_400, |_, _| GOOD), Step::Hold);
    assert_eq!(load.run(1_600, |_, _| GOOD), Step::End);
    assert_eq!(load.finish().requests.completed_in_window, 50);
}

#[test]
fn one_stream_has_no_handover() {
    let mut load = Driver::start(plan(1, Hold::Screen), TTFT);
    load.run(1, |_, _| GOOD);
    assert_eq!(load.level.phase(), Phase::Settle);
}

#[test]
fn what_was_sent_before_all_were_there_does_not_count() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    // Every request of the handover is late; those sent from 150 ms on are good.
    let step = load.run(10_000, |_, sent| if sent < 150 { LATE } else { GOOD });
    assert_eq!(step, Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Screened);
    assert_eq!(summary.objectives[0].over, Some(0));
    assert_eq!(summary.ttft_ms.max, Some(10.0));
    let from = summary.window.unwrap().from_s;
    assert!((0.25..0.26).contains(&from), "{from}");
}

#[test]
fn a_screened_level_waits_for_time_and_for_requests() {
    // 4 streams: 8 requests are there after 2 R, 5 R is what figures need.
    let mut quick = Driver::start(plan(4, Hold::Screen), TTFT);
    quick.run(10_000, |_, _| GOOD);
    let window = quick.finish().window.unwrap();
    assert!((5.0..5.1).contains(&window.request_times), "{window:?}");
    // 1 stream: 8 requests take 8 R, all but what had run when the window began.
    let mut slow = Driver::start(plan(1, Hold::Screen), TTFT);
    slow.run(10_000, |_, _| GOOD);
    let summary = slow.finish();
    assert_eq!(summary.requests.completed_in_window, 8);
}

#[test]
fn a_screened_level_that_breaks_is_a_fail() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    load.run(10_000, |_, _| LATE);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Fail);
    let ttft: Slo = TTFT.parse().unwrap();
    assert_eq!(summary.reason, Some(ttft.0[0].into()));
}

#[test]
fn a_clear_fail_ends_at_the_first_look() {
    let mut load = Driver::start(plan(8, Hold::Decide), TTFT);
    assert_eq!(load.run(30_000, |_, _| LATE), Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Fail);
    let length = summary.window.unwrap().request_times;
    assert!((8.0..8.2).contains(&length), "{length}");
}

#[test]
fn a_clear_pass_ends_when_it_is_decided() {
    let mut load = Driver::start(plan(8, Hold::Decide), TTFT);
    assert_eq!(load.run(30_000, |_, _| GOOD), Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Pass);
    // The least requests of a pass; looks grow by 15 %.
    let least =
        least_requests_for_a_pass(&TTFT.parse::<Slo>().unwrap().0[0], 8, Confidence::default())
            .unwrap();
    let n = summary.objectives[0].n as u64;
    assert!((least..=least * 115 / 100 + 8).contains(&n), "{n}");
    assert!(summary.window.unwrap().request_times >= 5.0);
}

#[test]
fn the_longest_hold_ends_what_is_not_decided() {
    let mut load = Driver::start(
        LevelPlan {
            longest_hold: Duration::from_secs(3),
            longest: Duration::from_secs(86_400),
            ..plan(4, Hold::Decide)
        },
        TTFT,
    );
    // One of 20 is late: the bound itself.
    let answer = |id: u64, _| if id.is_multiple_of(20) { LATE } else { GOOD };
    assert_eq!(load.run(30_000, answer), Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Undecided);
    let window = summary.window.unwrap();
    assert!(
        (window.to_s - window.from_s - 3.0).abs() < 1e-6,
        "{window:?}"
    );
}

#[test]
fn fewer_streams_than_asked_void_the_level() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    let _ = load.streams.pop();
    assert_eq!(load.run(60_000, |_, _| GOOD), Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Void);
    let Some(Reason::Undelivered {
        shortfall: Shortfall::MissingStreams { in_flight, of: 4 },
    }) = summary.reason
    else {
        panic!("three of four streams are there: {:?}", summary.reason);
    };
    assert!((in_flight - 3.0).abs() < 0.05, "{in_flight}");
    assert!(summary.is_by_lateness());
}

#[test]
fn what_fewer_streams_than_asked_break_all_of_them_break() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    let _ = load.streams.pop();
    let _ = load.run(60_000, |_, _| LATE);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Fail);
    assert!(matches!(summary.reason, Some(Reason::Objective { .. })));
}

#[test]
fn send_lag_voids_the_level() {
    for (lag, verdict) in [(4, LevelVerdict::Screened), (9, LevelVerdict::Void)] {
        let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
        load.run(10_000, |_, _| Answer { lag, ..GOOD });
        assert_eq!(load.finish().verdict, verdict, "lag {lag} ms");
    }
}

/// 50 ms are allowed. The client's doubt voids a level only where it could change what it says.
#[test]
fn the_doubt_of_stamps_is_part_of_the_judgement() {
    for (ttft, doubt, verdict) in [
        (30, 25, LevelVerdict::Screened),
        (49, 40, LevelVerdict::Screened),
        (55, 4, LevelVerdict::Fail),
        (55, 6, LevelVerdict::Void),
    ] {
        let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
        load.run(10_000, |_, _| Answer {
            ttft,
            doubt,
            ..GOOD
        });
        let summary = load.finish();
        assert_eq!(summary.verdict, verdict, "{ttft} ms, {doubt} in doubt");
        let in_doubt = matches!(summary.reason, Some(Reason::InDoubt { .. }));
        assert_eq!(in_doubt, verdict == LevelVerdict::Void);
        assert_eq!(summary.is_by_lateness(), in_doubt);
    }
}

/// A few requests of which the client cannot tell are left out of the counts, on both sides.
#[test]
fn requests_in_doubt_are_no_observations() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    load.run(10_000, |id, _| Answer {
        ttft: if id == 20 { 55 } else { 10 },
        doubt: 10,
        ..GOOD
    });
    let summary = load.finish();
    let result = &summary.objectives[0];
    assert_eq!(summary.verdict, LevelVerdict::Screened);
    assert_eq!((result.over, result.doubtful()), (Some(1), 1));
    assert_eq!(result.counts_beyond_doubt(), Some((0, result.n - 1)));
}

/// After 96 requests each of the eight streams is stuck in one that hangs.
#[test]
fn requests_that_hang_are_evidence_while_they_hang() {
    let whole = LevelPlan {
        longest_hold: Duration::from_secs(6),
        ..plan(8, Hold::Whole)
    };
    let mut load = Driver::start(whole, "ttft p95 <= 50ms, success >= 99%");
    load.run(60_000, |id, _| if id % 12 == 11 { HANGS } else { GOOD });
    let summary = load.finish();
    let looks = summary
        .objectives
        .iter()
        .map(crate::judge::ObjectiveResult::looks_broken);
    assert_eq!(looks.collect::<Vec<_>>(), [Some(true), Some(true)]);
    assert!(!matches!(
        summary.verdict,
        LevelVerdict::Pass | LevelVerdict::Screened
    ));
    let Some(Alarm::Unanswered {
        requests: 8,
        of: 96,
        longest_s,
    }) = summary.alarms.first().copied()
    else {
        panic!("eight of 96 hang: {:?}", summary.alarms);
    };
    assert!((5.0..6.5).contains(&longest_s), "{longest_s}");
    assert_eq!(summary.silence, None, "others were answered meanwhile");
}

#[test]
fn a_server_that_answers_nobody_any_more_ends_the_level() {
    let mut load = Driver::start(plan(8, Hold::Confirm), TTFT);
    let answer = |_, sent| if sent < 2_000 { GOOD } else { HANGS };
    assert_eq!(load.run(60_000, answer), Step::End);
    assert!(load.now < 5_000, "it waits for no hold to end");
    let summary = load.finish();
    let silence = summary.silence.unwrap();
    assert!((2.0..2.2).contains(&silence.since_s), "{silence:?}");
    assert!(!silence.refuses && summary.shows_no_server());
}

/// The first request takes two seconds where a hundred milliseconds were expected: of eight that
/// ended it is one.
#[test]
fn settling_follows_the_measured_request_time() {
    let expected = LevelPlan {
        request_time: Duration::from_secs(90),
        ..plan(1, Hold::Whole)
    };
    let mut load = Driver::start(expected, TTFT);
    load.run(5_000, |_, _| GOOD);
    assert_eq!(load.level.phase(), Phase::Window);
}

#[test]
fn a_client_that_stood_still_voids_the_level() {
    let lag = |worst_ms: f64| {
        let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
        load.run(10_000, |_, _| GOOD);
        let mut lags = vec![0.1; 999];
        lags.push(worst_ms);
        let client = ClientHealth {
            loop_lag_ms: crate::stats::Summary::of(lags),
            ..ClientHealth::default()
        };
        load.level.finish(at(load.now), client, None).summary
    };
    assert_eq!(lag(150.0).verdict, LevelVerdict::Screened);
    let stopped = lag(1_500.0);
    assert_eq!(stopped.verdict, LevelVerdict::Void);
    let longest_s = 1.5;
    assert_eq!(stopped.reason, Some(Shortfall::Paused { longest_s }.into()));
}

#[test]
fn refusals_are_over_every_bound() {
    let mut load = Driver::start(plan(4, Hold::Screen), TTFT);
    assert_eq!(load.run(60_000, |_, _| REFUSED), Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Fail);
    assert_eq!(summary.success_ratio, Some(0.0));
    assert_eq!(summary.ttft_ms.n, 0, "a failure has no latency");
}

#[test]
fn a_silent_server_ends_too() {
    let mut load = Driver::start(
        LevelPlan {
            longest_hold: Duration::from_secs(3),
            longest: Duration::from_secs(86_400),
            ..plan(2, Hold::Screen)
        },
        "tpot p95 <= 50ms",
    );
    let never = Answer {
        ttft: u64::MAX / 4,
        outcome: Outcome::TimedOut,
        ..GOOD
    };
    // The requests never end either: their streams stop moving once they are sent.
    load.run(60, |_, _| never);
    for stream in &mut load.streams {
        stream.1 = u64::MAX / 4;
    }
    assert_eq!(load.run(60_000, |_, _| never), Step::End);
    let summary = load.finish();
    assert_eq!(summary.verdict, LevelVerdict::Undecided);
    let hang = |reason| {
        matches!(
            reason,
            Some(Reason::Unanswered {
                requests: 2,
                of: 2,
                ..
            })
        )
    };
    assert!(hang(summary.reason) && summary.silence.is_some());
}

/// Its time is over before the server has said a word: so it goes on until it is known to be silent.
#[test]
fn a_level_does_not_end_on_a_server_that_is_quiet() {
    let short = LevelPlan {
        longest: Duration::from_secs(1),
        ..plan(8, Hold::Visit)
    };
    let mut load = Driver::start(short.clone(), TTFT);
    assert_eq!(load.run(60_000, |_, _| HANGS), Step::End);
    assert!((5_000..6_000).contains(&load.now), "{}", load.now);
    assert!(load.finish().shows_no_server());
    // One that was stopped before that is known leaves it open.
    let mut stopped = Driver::start(short.clone(), TTFT);
    assert_eq!(stopped.run(3_000, |_, _| HANGS), Step::Hold);
    let summary = stopped.finish();
    assert_eq!(summary.verdict, LevelVerdict::Undecided);
    assert_eq!(summary.reason, Some(Reason::Quiet { since_s: 0.0 }));
    assert!(summary.says_nothing() && !summary.shows_no_server());
    // A word is enough.
    let mut speaks = Driver::start(short, TTFT);
    assert_eq!(speaks.run(60_000, |_, _| GOOD), Step::End);
    assert_eq!(speaks.now, 1_000);
}

/// A check that broke its objective by what was answered broke it, whatever its last seconds were; what
/// had met it may have lost its server. One request that hangs does not tell which.
#[test]
fn what_was_answered_breaks_the_slo_also_where_the_end_is_quiet() {
    let verdict = |before: Answer| {
        let whole = LevelPlan {
            longest_hold: Duration::from_secs(10),
            ..plan(1, Hold::Whole)
        };
        let mut load = Driver::start(whole, TTFT);
        let answer = |_, sent| if sent < 8_000 { before } else { HANGS };
        assert_eq!(load.run(60_000, answer), Step::End);
        let summary = load.finish();
        assert_eq!(summary.silence, None);
        let is_quiet = matches!(summary.reason, Some(Reason::Quiet { .. }));
        (summary.verdict, is_quiet)
    };
    assert_eq!(verdict(LATE), (LevelVerdict::Fail, false));
    assert_eq!(verdict(GOOD), (LevelVerdict::Undecided, true));
}

#[test]
fn carried_requests_are_in_flight_but_do_not_count() {
    let carried = |id: u64, stream| InFlight {
        id,
        level: 2,
        stream,
        due: at(0),
        ready: at(0),
        sent: Some(at(0)),
        first: None,
        heard: None,
        doubt: crate::record::Doubt::default(),
    };
    let slo: Slo = TTFT.parse().unwrap();
    let two = vec![carried(900, 0), carried(901, 5)];
    let mut level = Level::start(plan(1, Hold::Screen), slo, at(10), two);
    assert_eq!(level.tick(at(20)), Step::Hold);
    assert_eq!(level.phase(), Phase::Handover, "the surplus is still there");
    let end = |id, stream, outcome| {
        let mut one = record(0, &[70, 80]);
        (one.id, one.stream, one.outcome) = (id, stream, outcome);
        end_of(one)
    };
    level.apply(&end(901, 5, Outcome::CutAtEnd));
    assert_eq!(level.tick(at(80)), Step::Hold);
    assert_eq!(level.phase(), Phase::Settle, "the surplus is gone");
    level.apply(&end(900, 0, Outcome::Completed));
    let finished = level.finish(at(90), ClientHealth::default(), None);
    let counts = &finished.summary.requests;
    assert_eq!(
        (counts.carried_in, counts.due, counts.carried_out),
        (2, 0, 0)
    );
    assert!(counts.balance());
    assert_eq!(finished.summary.objectives[0].n, 0);
    assert_eq!(finished.records.len(), 2);
}

#[test]
fn a_fail_that_the_later_part_contradicts_is_held_once_more() {
    let run = |later: u64| {
        let mut load = Driver::start(plan(32, Hold::Decide), TTFT);
        load.run(30_000, |id, sent| {
            let one_in = if sent < 600 { 2 } else { later };
            if id.is_multiple_of(one_in) {
                LATE
            } else {
                GOOD
            }
        });
        load.finish()
    };
    let (steady, better) = (run(2), run(5));
    assert_eq!(steady.verdict, LevelVerdict::Fail);
    assert!(steady.alarms.is_empty(), "{:?}", steady.alarms);
    let length = |summary: &LevelSummary| summary.window.unwrap().request_times;
    assert!(length(&steady) < 8.2, "{}", length(&steady));
    assert!(length(&better) > 15.9, "{}", length(&better));
    assert_eq!(better.verdict, LevelVerdict::Fail);
}

/// An answer that stops after its first word, a second before the longest hold is over: the level
/// goes on until it is known to hang.
#[test]
fn a_level_does_not_end_on_an_answer_that_may_hang() {
    let whole = LevelPlan {
        longest_hold: Duration::from_secs(3),
        ..plan(4, Hold::Whole)
    };
    let stuck = |stops: bool| {
        let mut load = Driver::start(whole.clone(), TTFT);
        load.run(1_000, |_, _| GOOD);
        let id = load.next_id;
        let answer = move |one: u64, _| Answer {
            outcome: if stops && one == id {
                Outcome::NeverSent
            } else {
                GOOD.outcome
            },
            ..GOOD
        };
        load.run(1_200, answer);
        let heard = at(1_200);
        load.level.apply(&LoadEvent::Heard { id, at: heard });
        load.level.apply(&LoadEvent::First {
            id,
            at: heard,
            doubt: crate::record::Doubt::default(),
        });
        assert_eq!(load.run(60_000, answer), Step::End);
        (load.now, load.finish())
    };
    let (ends_ms, summary) = stuck(false);
    assert!(ends_ms < 4_000 && summary.alarms.is_empty(), "{ends_ms}");
    let (ends_ms, summary) = stuck(true);
    assert!((7_200..7_400).contains(&ends_ms), "{ends_ms}");
    let hangs = |alarm: &Alarm| matches!(alarm, Alarm::Unanswered { requests: 1, .. });
    assert!(summary.alarms.iter().any(hangs), "{:?}", summary.alarms);
}
