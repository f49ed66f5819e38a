//! Levels over the fast engine.

use std::convert::Infallible;
use std::sync::Arc;

use plimsoll_core::level::{ClientHealth, FinishedLevel, Level, LevelPlan, Phase, Step};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{Doubt, InFlight, LoadEvent, RequestRecord, RequestTrace, StreamEvent};
use plimsoll_core::runner::{Go, Progress, Runner};
use plimsoll_core::schedule::scatter;
use plimsoll_core::slo::Slo;
use plimsoll_core::telemetry::ServerWindow;
use plimsoll_core::time::Offset;
use plimsoll_core::workload::Lengths;

use super::engine::FastEngine;
use super::streams::{Fate, Flight, Streams, Watch};

/// How often the listener is told.
const PROGRESS_NS: u64 = 200_000_000;

/// Carries levels of streams over a [`FastEngine`]; a rate puts nothing on it. A record has its first
/// and its last token only: TTFT, TPOT and the request time are exact, gaps between tokens are not
/// there. So a listener is told of no request.
#[derive(Debug)]
pub struct FastRunner {
    streams: Streams,
}

impl FastRunner {
    /// A runner at time 0; request `i` takes the `i`-th lengths, from the start again when they are
    /// used up. Not empty.
    pub fn new(engine: FastEngine, lengths: Arc<[Lengths]>, seed: u64) -> Self {
        Self {
            streams: Streams::new(engine, lengths, seed),
        }
    }

    /// From now on each level asks the same lengths in the same order.
    pub fn ask_the_same_at_each_level(&mut self) {
        self.streams.same_lengths = true;
    }

    fn in_flight(&self) -> Vec<InFlight> {
        let mut all: Vec<InFlight> = self.streams.in_flight().map(|f| in_flight(f, 0)).collect();
        all.sort_by_key(|one| one.id);
        all
    }
}

fn in_flight(flight: &Flight, level: u32) -> InFlight {
    let sent = Offset::from_nanos(flight.sent_ns);
    InFlight {
        id: flight.request,
        level,
        stream: flight.stream,
        due: sent,
        ready: sent,
        sent: Some(sent),
        first: flight.first_ns.map(Offset::from_nanos),
        heard: None,
        doubt: Doubt::default(),
    }
}

/// Writes what happens into the level.
struct Recorder {
    level: Level,
    /// Levels in which requests from before became due.
    changed: bool,
}

impl Watch for Recorder {
    fn sent(&mut self, flight: &Flight) {
        let index = self.level.plan().index;
        self.level.apply(&LoadEvent::Sent(in_flight(flight, index)));
    }

    fn first(&mut self, flight: &Flight, at_ns: u64) {
        let at = Offset::from_nanos(at_ns);
        let id = flight.request;
        self.level.apply(&LoadEvent::First {
            id,
            at,
            doubt: Doubt::default(),
        });
        self.changed = true;
    }

    fn ended(&mut self, flight: &Flight, at_ns: u64, fate: Fate) {
        let done = Offset::from_nanos(at_ns);
        let outcome = match fate {
            Fate::Completed => Outcome::Completed,
            Fate::Refused(status) => Outcome::HttpStatus { status },
            Fate::Cut => Outcome::CutAtEnd,
        };
        let output = |at| StreamEvent { at, output: true };
        let first = flight.first_ns.map(Offset::from_nanos);
        let mut events: Vec<StreamEvent> = first.map(output).into_iter().collect();
        if fate == Fate::Completed && flight.lengths.output_tokens > 1 {
            events.push(output(done));
        }
        let sent = Offset::from_nanos(flight.sent_ns);
        let is_completed = fate == Fate::Completed;
        let Lengths {
            input_tokens,
            output_tokens,
        } = flight.lengths;
        let record = RequestRecord {
            id: flight.request,
            level: self.level.plan().index,
            stream: flight.stream,
            due: sent,
            ready: sent,
            sent: Some(sent),
            outputs: None,
            heard: None,
            stamps: None,
            done,
            doubt: Doubt::default(),
            outcome,
            asked_prompt_tokens: input_tokens,
            asked_output_tokens: output_tokens,
            prompt_tokens: is_completed.then_some(input_tokens),
            usage_output_tokens: is_completed.then_some(output_tokens),
            hidden_output_tokens: None,
            usage_disbelieved: false,
            detail: None,
        };
        let request = RequestTrace::new(record, events);
        self.level.apply(&LoadEvent::Ended(Box::new(request)));
        self.changed = true;
    }

    fn back_off_ns(&self) -> u64 {
        self.level.request_time().as_nanos() as u64
    }
}

impl Runner for FastRunner {
    type Error = Infallible;

    fn now(&self) -> Offset {
        Offset::from_nanos(self.streams.now_ns)
    }

    fn run_level(
        &mut self,
        plan: LevelPlan,
        slo: &Slo,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Go,
    ) -> Result<FinishedLevel, Infallible> {
        let streams = plan.closed_streams();
        let spread = plan.handover(self.streams.busy());
        let (think, request_time) = (plan.settings.think, plan.request_time);
        self.streams.think = think;
        let level = Level::start(plan, slo.clone(), self.now(), self.in_flight());
        let mut recorder = Recorder {
            level,
            changed: true,
        };
        let offset_ns = |i: u32| {
            let offset = match think {
                Some(think) => think.join(i, request_time),
                None => scatter(i, spread),
            };
            offset.as_nanos() as u64
        };
        self.streams.hand_over(streams, offset_ns, &mut recorder);
        let mut server = Server::default();
        let preempted = self.streams.engine.counts().preemptions;
        let mut tell_at = self.streams.now_ns;
        loop {
            self.streams.advance(&mut recorder);
            let now = self.now();
            if recorder.level.tick(now) == Step::End {
                break;
            }
            if recorder.level.phase() == Phase::Window {
                server.see(&self.streams.engine);
            }
            if self.streams.now_ns >= tell_at {
                tell_at = self.streams.now_ns + PROGRESS_NS;
                let level = &recorder.level;
                let ended = &[];
                if on_progress(Progress { level, now, ended }) == Go::Stop {
                    break;
                }
            }
        }
        let preempted = self.streams.engine.counts().preemptions - preempted;
        let window = server.window(preempted);
        Ok(recorder
            .level
            .finish(self.now(), ClientHealth::default(), Some(window)))
    }
}

/// The engine's gauges over a window, sampled at every event.
#[derive(Default)]
struct Server {
    samples: usize,
    running: f64,
    waiting: f64,
    running_max: f64,
    kv_max: f64,
}

impl Server {
    fn see(&mut self, engine: &FastEngine) {
        let counts = engine.counts();
        self.samples += 1;
        self.running += counts.running as f64;
        self.waiting += counts.waiting as f64;
        self.running_max = self.running_max.max(counts.running as f64);
        self.kv_max = self.kv_max.max(counts.kv_used_ratio);
    }

    fn window(&self, preempted: u64) -> ServerWindow {
        let some = |value: f64| (self.samples > 0).then_some(value);
        ServerWindow {
            samples: self.samples,
            running_mean: some(self.running / self.samples.max(1) as f64),
            running_max: some(self.running_max),
            waiting_mean: some(self.waiting / self.samples.max(1) as f64),
            kv_used_ratio_max: some(self.kv_max),
            preemptions: Some(preempted as f64),
            samples_disbelieved: 0,
        }
    }
}
