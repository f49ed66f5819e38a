//! The life of a level, as a value that a runner steps: no clock, no sockets.
//!
//! | phase | meaning | leaves it when |
//! |---|---|---|
//! | handover | streams come or go, scattered; arrivals fill the server | all of them are there and the surplus is gone |
//! | settle | the transient passes | one mean request time has passed |
//! | window | what happens counts | screened, decided, or the hold is over |
//!
//! A level begins with what the last one left in flight, and leaves its own to the next.

mod alarms;
mod answers;
mod assignment;
mod client;
mod end;
mod figures;
mod finish;
mod hanging;
mod ledger;
mod plan;
mod reason;
mod rejudge;
mod settings;
mod silence;
mod since;
mod summarise;
mod summary;
mod verdict;

use std::time::Duration;

pub use alarms::Alarm;
pub use answers::Answers;
pub use assignment::Assignment;
pub use client::ClientHealth;
pub use ledger::{RequestCounts, RequestLedger};
pub use plan::{Hold, LevelPlan, OpenLoop, Purpose};
pub use reason::{Reason, Shortfall};
pub use rejudge::rejudge;
pub use settings::LevelSettings;
pub use silence::Silence;
pub use since::Since;
pub use summary::{Draw, LevelSummary, LevelVerdict, Window};

pub use crate::load::Load;

use crate::judge::{HangsAfter, LevelSample, Reading};
use crate::record::{InFlight, LoadEvent, RequestRecord, RequestTrace};
use crate::schedule::{REDRAW_REQUEST_TIMES, Redraw, Stretch};
use crate::slo::Slo;
use crate::stats::Distribution;
use crate::telemetry::Sample;
use crate::time::Offset;
use alarms::Series;

/// The least window that is screened, in mean request times and in requests (method.md §5.3).
const SCREEN_REQUEST_TIMES: f64 = 1.5;
const SCREEN_REQUESTS: usize = 8;
/// The baseline is for the request time; one stream at a time, requests are dear.
const BASELINE_REQUESTS: usize = 4;
/// A visit is not broken off before this many request times.
const VISIT_LOOK_REQUEST_TIMES: f64 = 2.0;
/// First look at a level that is to be decided, in request times.
const FIRST_LOOK_REQUEST_TIMES: f64 = 8.0;
/// Streams that do not all come within this after the handover leave the level as it is; the
/// void rule then says what that is worth.
const PATIENCE: Duration = Duration::from_secs(10);

/// A level that may have lost its server is looked at this often.
const SILENCE_LOOK: Duration = Duration::from_millis(500);

/// What the runner has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go on.
    Hold,
    /// The level is over.
    End,
}

/// The phase a level is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Streams come or go.
    Handover,
    /// All are there; the transient passes.
    Settle,
    /// What happens counts.
    Window,
}

/// A running level.
#[derive(Debug)]
pub struct Level {
    plan: LevelPlan,
    slo: Slo,
    ledger: RequestLedger,
    handover: Duration,
    started_at: Offset,
    full_at: Option<Offset>,
    window_from: Option<Offset>,
    /// Stream-seconds in the ledger when the window began.
    area_at_window: f64,
    /// Request-seconds that had been waited in the client by then.
    waiting_at_window: f64,
    next_look: Duration,
    /// Mean request time when the window began: where more arrives than is carried it only grows.
    settled_time: Duration,
    /// Where a window ends at the earliest that was held once more.
    extended_to: Option<Offset>,
    /// Length of the window at the next look at whether the number of requests still grows.
    growing_until: Option<Duration>,
    /// When the server is next looked for, if it is not heard before.
    listen_at: Offset,
    /// When it would first have ended, if the server was quiet then.
    over_at: Option<Offset>,
    /// When it was last ticked.
    ticked_at: Offset,
    /// What ended since all streams were there; before that, since the level began.
    since_full: Since,
    /// What ended since the window began, once it has.
    since_window: Since,
    /// Gaps between the outputs of what completed since then.
    itl_ms: Distribution,
}

impl Level {
    /// Starts a level at `now` with the requests that are in flight.
    pub fn start(plan: LevelPlan, slo: Slo, now: Offset, carried: Vec<InFlight>) -> Self {
        let handover = plan.handover(carried.len() as u32);
        let keeps_stamps = plan.settings.keeps_stamps || slo.judges_gaps();
        Self {
            handover,
            plan,
            slo,
            ledger: RequestLedger::open(now, carried).with_stamps(keeps_stamps),
            started_at: now,
            full_at: None,
            window_from: None,
            area_at_window: 0.0,
            waiting_at_window: 0.0,
            next_look: Duration::ZERO,
            settled_time: Duration::ZERO,
            extended_to: None,
            growing_until: None,
            listen_at: now + SILENCE_LOOK,
            over_at: None,
            ticked_at: now,
            since_full: Since::new(now),
            since_window: Since::new(now),
            itl_ms: Distribution::default(),
        }
    }

    /// What it was started with.
    pub fn plan(&self) -> &LevelPlan {
        &self.plan
    }

    /// The ledger, for progress and for back-off.
    pub fn ledger(&self) -> &RequestLedger {
        &self.ledger
    }

    /// When it started.
    pub fn started_at(&self) -> Offset {
        self.started_at
    }

    /// When the window began, once it has.
    pub fn window_from(&self) -> Option<Offset> {
        self.window_from
    }

    /// What ended since the window began; before that, since the level did.
    pub fn recent(&self) -> &Since {
        &self.since_window
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        match (self.full_at, self.window_from) {
            (None, _) => Phase::Handover,
            (_, None) => Phase::Settle,
            _ => Phase::Window,
        }
    }

    /// Takes an event of the load side.
    pub fn apply(&mut self, event: &LoadEvent) {
        if let LoadEvent::Ended(request) = event {
            self.since_full.see(request);
            self.since_window.see(request);
            self.see_gaps(request);
        }
        self.ledger.enter(event);
    }

    fn see_gaps(&mut self, request: &RequestTrace) {
        let is_within = |from: Offset| request.done >= from && request.outcome.is_completed();
        if self.window_from.is_some_and(is_within) {
            let gaps = request.gaps();
            gaps.for_each(|(_, gap_ms)| self.itl_ms.push(gap_ms));
        }
    }

    /// Moves on to `now`; every event up to `now` has been applied.
    pub fn tick(&mut self, now: Offset) -> Step {
        if self.full_at.is_none() && self.is_full(now) {
            self.full_at = Some(now);
            self.since_full = Since::among(now, self.ledger.ended());
        }
        if let Some(full_at) = self.full_at
            && self.window_from.is_none()
            && self.has_settled(full_at, now)
        {
            self.window_from = Some(now);
            self.since_window = Since::among(now, self.ledger.ended());
            self.area_at_window = self.ledger.stream_seconds(now);
            self.waiting_at_window = self.ledger.waiting_seconds(now);
            self.settled_time = self.request_time();
            let first_look = match self.plan.hold {
                Hold::Visit => VISIT_LOOK_REQUEST_TIMES,
                _ => FIRST_LOOK_REQUEST_TIMES,
            };
            self.next_look = self.settled_time.mul_f64(first_look);
        }
        if self.is_silent(now) || self.is_over(now) && !self.waits_for_word(now) {
            Step::End
        } else {
            Step::Hold
        }
    }

    /// Mean request time of what completed here once all streams were there, else of the plan.
    pub fn request_time(&self) -> Duration {
        self.since_full
            .request_time()
            .unwrap_or(self.plan.request_time)
    }

    fn is_full(&self, now: Offset) -> bool {
        let since_start = now.since(self.started_at);
        if since_start < self.handover {
            return false;
        }
        let all_there = match self.plan.load {
            Load::Streams(streams) => self.has_all(streams as usize),
            // What fills the server has come by now; the streams of the last level must be gone.
            Load::RatePerS(_) => !self.ledger.has_streams(),
        };
        all_there || since_start >= self.handover + self.plan.request_time + PATIENCE
    }

    fn has_all(&self, streams: usize) -> bool {
        let flying = self.ledger.in_flight_count();
        flying <= streams
            && (self.plan.settings.think.is_some()
                || flying == streams
                || self.streams_seen() >= streams)
    }

    /// Distinct streams with a request on this level: a stream may be between two requests.
    fn streams_seen(&self) -> usize {
        let mut seen: Vec<u32> = self
            .ledger
            .ended()
            .iter()
            .map(|record| record.stream)
            .chain(self.ledger.in_flight().iter().map(|request| request.stream))
            .filter(|stream| *stream < self.plan.closed_streams())
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    fn has_settled(&self, full_at: Offset, now: Offset) -> bool {
        let waited = now.since(full_at);
        let is_closed = matches!(self.plan.load, Load::Streams(_));
        let transient = match self.redraw() {
            Some(_) => self.plan.request_time * REDRAW_REQUEST_TIMES,
            // What was measured here says more than what was expected. Not by rate: what completes
            // first may have waited in the queue of the level before.
            None if is_closed && self.since_full.is_telling() => Duration::ZERO,
            None => self.plan.request_time,
        };
        waited >= transient.max(self.request_time())
            && (self.since_full.ended() > 0 || waited >= self.plan.longest_hold / 2)
    }

    fn series(&self, from: Offset, to: Offset) -> Series {
        let request_times = to.since(from).as_secs_f64() / self.request_time().as_secs_f64();
        let in_flight = self.ledger.in_flight();
        Series::of(self.ledger.ended(), &in_flight, (from, to), request_times)
    }

    fn is_screened(&self, from: Offset, now: Offset) -> bool {
        is_screened(self.plan.purpose, &self.sample(from, now, &[], &[]))
    }

    fn has_screened(&self) -> bool {
        self.since_window.ended() >= least_requests(self.plan.purpose)
    }

    fn sample<'a>(
        &'a self,
        from: Offset,
        to: Offset,
        in_flight: &'a [InFlight],
        draws: &'a [Stretch],
    ) -> LevelSample<'a> {
        LevelSample {
            ended: self.ledger.ended(),
            in_flight,
            from,
            to,
            request_time: self.request_time(),
            draws,
            confidence: self.plan.settings.confidence,
            reading: Reading::Stamped,
            unread: Duration::ZERO,
            hangs_after: Some(self.hangs_after(in_flight)),
        }
    }

    /// How long a request is silent when it hangs.
    fn hangs_after(&self, in_flight: &[InFlight]) -> HangsAfter {
        hanging::hangs_after(
            &self.slo,
            self.ledger.ended(),
            in_flight,
            self.request_time(),
        )
    }

    /// When the streams pause to redraw their phases, if they do.
    pub fn redraw(&self) -> Option<Redraw> {
        self.plan.redraw(self.started_at)
    }

    /// What counts of each draw of the phases; empty where they are not redrawn.
    fn draws(&self, from: Offset, to: Offset) -> Vec<Stretch> {
        self.redraw()
            .map_or_else(Vec::new, |redraw| redraw.stretches(Stretch { from, to }))
    }
}

/// The requests that a screened level takes at least.
fn least_requests(purpose: Purpose) -> usize {
    match purpose {
        Purpose::Baseline => BASELINE_REQUESTS,
        _ => SCREEN_REQUESTS,
    }
}

/// Whether a window was long enough for a screened level to mean anything.
fn is_screened(purpose: Purpose, sample: &LevelSample<'_>) -> bool {
    let least = sample.request_time.mul_f64(SCREEN_REQUEST_TIMES);
    let ended = Since::among(sample.from, sample.ended).ended();
    sample.to.since(sample.from) >= least && ended >= least_requests(purpose)
}

/// A level that is over.
#[derive(Debug)]
pub struct FinishedLevel {
    /// What it says.
    pub summary: LevelSummary,
    /// Every request that ended on it.
    pub records: Vec<RequestRecord>,
    /// Requests that go on in the next level.
    pub in_flight: Vec<InFlight>,
    /// What was sampled since the last level ended, source by source in order of time: what the
    /// summary's window figures are computed from. Empty where the runner knows them exactly.
    pub samples: Vec<Sample>,
}

#[cfg(test)]
mod open_loop_tests;
#[cfg(test)]
mod tests;
