//! When a level ends: by its length, by what it shows, or because there is no server any more.

use std::time::Duration;

use super::{Hold, Level, PATIENCE, SCREEN_REQUEST_TIMES, SILENCE_LOOK, silence};
use crate::judge::{self, Decision};
use crate::stability::Drift;
use crate::time::Offset;

/// A visit's window, in mean request times, and its requests at least: longer than the five and
/// forty of statistics.md §4.2.3, since what comes before a window costs as much as a third of it.
const VISIT_REQUEST_TIMES: f64 = 8.0;
const VISIT_REQUESTS: usize = 40;
/// An answer may hang if it has stood still for this part of the time after which it does.
const PART_OF_HANGING: u32 = 4;
/// Printed figures come from a window of at least this many request times …
const PRINT_REQUEST_TIMES: f64 = 5.0;
/// … unless that takes longer than this on a screened level.
const SCREEN_LONG: Duration = Duration::from_secs(3);
/// The window of a short level, in request times (statistics.md §4.2).
const SHORT_REQUEST_TIMES: f64 = 2.0;
/// The growth of later looks at a level that is to be decided.
const LOOK_GROWTH: f64 = 1.15;
/// A level whose end has come does not end while the server is quiet: an answer may come, or it shows
/// that there is no server any more. This is the longest that it waits for either.
const LONGEST_QUIET: Duration = Duration::from_secs(60);

impl Level {
    /// Whether its end has come: by its length, or by what it shows.
    pub(super) fn is_over(&mut self, now: Offset) -> bool {
        let is_longest = now.since(self.started_at) >= self.longest();
        is_longest || self.window_from.is_some_and(|from| self.is_done(from, now))
    }

    /// Whether a level that is over waits for the server to say anything.
    pub(super) fn waits_for_word(&mut self, now: Offset) -> bool {
        let over_at = *self.over_at.get_or_insert(now);
        if self.is_held_whole() {
            return false;
        }
        let in_flight = self.ledger.in_flight();
        let from = self.window_from.unwrap_or(now);
        let sample = self.sample(from, now, &in_flight, &[]);
        if silence::gives_up(&sample, self.started_at) {
            return false;
        }
        let since = silence::open_since(&self.slo, &sample, (self.started_at, None));
        // It may have been quiet before, and have had a word since then.
        since.is_some_and(|since| now < over_at.max(since) + LONGEST_QUIET)
    }

    /// Whether it is held to its end, whatever it shows.
    fn is_held_whole(&self) -> bool {
        matches!(self.plan.hold, Hold::Whole | Hold::Requests(_))
    }

    /// The hold and all that comes before it.
    fn longest(&self) -> Duration {
        (self.plan.longest_hold + self.handover + self.plan.request_time * 2 + PATIENCE)
            .min(self.plan.longest)
    }

    /// Whether the server answers nobody any more. A load that is to be held whatever it shows goes
    /// on: the server may come back.
    pub(super) fn is_silent(&mut self, now: Offset) -> bool {
        let was_paused = now.since(self.ticked_at) > SILENCE_LOOK;
        self.ticked_at = now;
        if now < self.listen_at || self.is_held_whole() {
            return false;
        }
        self.listen_at = now + SILENCE_LOOK;
        if was_paused {
            // This client stood still: what came meanwhile is still to be read.
            return false;
        }
        let in_flight = self.ledger.in_flight();
        let from = self.window_from.unwrap_or(now);
        silence::silence(&self.sample(from, now, &in_flight, &[]), self.started_at).is_some()
    }

    fn is_done(&mut self, from: Offset, now: Offset) -> bool {
        let length = now.since(from);
        if length >= self.plan.longest_hold {
            return !self.may_hang(now);
        }
        if self.extended_to.is_some_and(|until| now < until) {
            return false;
        }
        match self.plan.hold {
            Hold::Whole => false,
            Hold::Requests(requests) => self.since_window.ended() as u64 >= requests,
            Hold::Screen => {
                let request_time = self.request_time();
                let least = request_time.mul_f64(SCREEN_REQUEST_TIMES);
                let printable = request_time.mul_f64(PRINT_REQUEST_TIMES).min(SCREEN_LONG);
                length >= least.max(printable) && self.has_screened() && !self.may_grow(from, now)
            }
            Hold::Short => {
                length >= self.request_time().mul_f64(SHORT_REQUEST_TIMES) && self.has_screened()
            }
            Hold::Confirm => self.is_broken(from, now),
            Hold::Visit => {
                let enough = length >= self.request_time().mul_f64(VISIT_REQUEST_TIMES)
                    && self.since_window.ended() >= VISIT_REQUESTS;
                enough || self.is_broken(from, now)
            }
            Hold::Decide => {
                if length < self.next_look {
                    return false;
                }
                self.next_look = length.mul_f64(LOOK_GROWTH);
                let decision = self.decision(from, now);
                decision != Decision::Undecided
                    && length >= self.request_time().mul_f64(PRINT_REQUEST_TIMES)
                    && !self.goes_on(decision, from, now)
            }
        }
    }

    /// Whether an answer has stood still for longer than any is told of late, and not for long enough
    /// to say that it hangs: the level would end on requests that nothing is known of.
    fn may_hang(&self, now: Offset) -> bool {
        let in_flight = self.ledger.in_flight();
        let after = self.hangs_after(&in_flight).heard;
        let mut silent = in_flight
            .iter()
            .filter_map(|one| Some(now.since(one.heard?)));
        silent.any(|silent| silent > after / PART_OF_HANGING && silent < after)
    }

    /// Whether the number of requests has grown, but not for long enough to say that it grows.
    fn may_grow(&mut self, from: Offset, now: Offset) -> bool {
        let length = now.since(from);
        if self.growing_until.is_some_and(|until| length < until) {
            return true;
        }
        let may_grow = self
            .stability(from, now)
            .is_some_and(|stability| stability.drift == Drift::Grew);
        self.growing_until = may_grow.then(|| length.mul_f64(LOOK_GROWTH));
        may_grow
    }

    /// Whether a look, if one is due, finds the SLO broken.
    fn is_broken(&mut self, from: Offset, now: Offset) -> bool {
        let length = now.since(from);
        if length < self.next_look {
            return false;
        }
        self.next_look = length + self.request_time();
        self.decision(from, now) == Decision::Fail && !self.goes_on(Decision::Fail, from, now)
    }

    fn decision(&self, from: Offset, now: Offset) -> Decision {
        let (in_flight, draws) = (self.ledger.in_flight(), self.draws(from, now));
        let sample = self.sample(from, now, &in_flight, &draws);
        let results = judge::judge(&self.slo, &sample);
        let [best, worst] = judge::at_both_ends(&results).map(|ends| judge::conjunction(&ends));
        if best == worst {
            best
        } else {
            Decision::Undecided
        }
    }

    /// Whether a decided level is held once more, as long again: its later part speaks against the
    /// decision. Not beyond its longest hold.
    fn goes_on(&mut self, decision: Decision, from: Offset, now: Offset) -> bool {
        let goes_on = self.extended_to.is_none()
            && self.redraw().is_none()
            && self.series(from, now).contradict(decision);
        if goes_on {
            self.extended_to = Some(now + now.since(from));
        }
        goes_on
    }
}
