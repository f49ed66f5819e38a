//! The load in virtual time: closed-loop streams over the pure engine, without a clock or a socket.
//!
//! A second of load costs milliseconds, so that the search can be tested against engines whose
//! capacity is known. The client is a perfect one: it sends the instant a request is due and sees
//! every token the instant its step ends.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use plimsoll_core::level::{
    ClientHealth, FinishedLevel, InFlight, Level, LevelPlan, LoadEvent, ServerWindow, Step as Then,
};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{RequestRecord, StreamEvent};
use plimsoll_core::runner::{Go, Progress, Runner};
use plimsoll_core::schedule::scatter;
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::workload::{LengthRow, Workload};

use crate::engine::{Admission, Engine, EngineParams, Job, PromptKey, Step};

/// A level is ticked at every event, and at least this often.
const TICK: Duration = Duration::from_millis(50);
/// How often the listener is told.
const PROGRESS: Duration = Duration::from_millis(200);

/// Carries levels over a model engine in virtual time.
///
/// Guarantees: the same parameters, workload, seed and plans give the same records. Requests in
/// flight at a level's end go on in the next one.
#[derive(Debug)]
pub struct VirtualRunner {
    engine: Engine,
    workload: Workload,
    now: Offset,
    /// The step under way; its tokens exist at its end.
    step: Option<Step>,
    /// Requests that the engine holds, with what has come of them.
    flights: BTreeMap<u64, RequestRecord>,
    /// When a stream sends next that has nothing in flight.
    timers: BTreeSet<(Offset, u32)>,
    next_id: u64,
    row: LengthRow,
}

/// What belongs to the level under way.
struct Running {
    level: Level,
    /// Place of the level's next lengths in their row.
    place: u64,
    server: Observed,
}

impl VirtualRunner {
    /// Returns a runner at time 0 with an idle engine; `seed` is of the engine's jitter.
    ///
    /// # Panics
    /// If `params` do not pass [`EngineParams::validate`].
    pub fn new(params: EngineParams, workload: Workload, seed: u64) -> Self {
        Self {
            engine: Engine::new(params, seed),
            workload,
            now: Offset::ZERO,
            step: None,
            flights: BTreeMap::new(),
            timers: BTreeSet::new(),
            next_id: 0,
            row: LengthRow::default(),
        }
    }

    /// Returns the engine, for its gauges.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn in_flight(&self) -> Vec<InFlight> {
        self.flights
            .values()
            .map(|record| InFlight {
                id: record.id,
                level: record.level,
                stream: record.stream,
                due: record.due,
                sent: record.due,
                first: record.first(),
            })
            .collect()
    }

    /// Lets the surplus go and schedules the new streams.
    fn hand_over(&mut self, running: &mut Running) {
        let streams = running.level.plan().streams();
        let surplus: Vec<u64> = self
            .flights
            .values()
            .filter(|record| record.stream >= streams && record.events.is_empty())
            .map(|record| record.id)
            .collect();
        for id in surplus {
            self.engine.cancel(id);
            self.end(id, Outcome::CutAtEnd, running);
        }
        self.timers.retain(|(_, stream)| *stream < streams);
        let busy: BTreeSet<u32> = self
            .flights
            .values()
            .map(|record| record.stream)
            .chain(self.timers.iter().map(|(_, stream)| *stream))
            .collect();
        let spread = running.level.plan().handover(busy.len() as u32);
        let new = (0..streams).filter(|stream| !busy.contains(stream));
        for (i, stream) in (0..).zip(new) {
            let delay = match running.level.plan().think {
                Some(think) => think.join(stream, running.level.plan().request_time),
                None => scatter(i, spread),
            };
            self.timers.insert((self.now + delay, stream));
        }
    }

    /// Moves to the next instant at which something happens, and lets it happen.
    fn advance(&mut self, running: &mut Running) {
        if self.step.is_none() {
            self.step = self.engine.step();
            if let Some(step) = &self.step {
                running.server.see(&self.engine, step, &running.level);
            }
        }
        let step_end = self
            .step
            .as_ref()
            .map(|step| Offset::from_nanos(step.end_ns()));
        let timer = self.timers.first().map(|(at, _)| *at);
        self.now = [step_end, timer]
            .into_iter()
            .flatten()
            .fold(self.now + TICK, Offset::min);
        if let Some(step) = self
            .step
            .take_if(|step| step.end_ns() <= self.now.as_nanos())
        {
            self.deliver(&step, running);
        }
        while let Some((_, stream)) = self
            .timers
            .first()
            .copied()
            .filter(|(at, _)| *at <= self.now)
        {
            self.timers.pop_first();
            self.send(stream, running);
        }
    }

    /// Hands the tokens of a step that has ended to their streams.
    fn deliver(&mut self, step: &Step, running: &mut Running) {
        let at = self.now;
        for &id in &step.tokens {
            // A cancelled request may still be in the step that was under way.
            let Some(record) = self.flights.get_mut(&id) else {
                continue;
            };
            if record.events.is_empty() {
                running.level.apply(LoadEvent::First { id, at });
            }
            record.events.push(StreamEvent { at, output: true });
        }
        for &id in &step.finished {
            if let Some(stream) = self.end(id, Outcome::Completed, running)
                && stream < running.level.plan().streams()
            {
                match running.level.plan().think {
                    Some(think) => {
                        self.timers.insert((self.now + think.after(id), stream));
                    }
                    None => self.send(stream, running),
                }
            }
        }
    }

    fn send(&mut self, stream: u32, running: &mut Running) {
        let id = self.next_id;
        self.next_id += 1;
        let lengths = self.workload.lengths(running.place);
        running.place += 1;
        let record = RequestRecord {
            id,
            level: running.level.plan().index,
            stream,
            due: self.now,
            sent: Some(self.now),
            connected: None,
            events: Vec::with_capacity(lengths.output_tokens as usize),
            done: self.now,
            outcome: Outcome::CutAtEnd,
            asked_prompt_tokens: lengths.input_tokens,
            asked_output_tokens: lengths.output_tokens,
            prompt_tokens: None,
            usage_output_tokens: None,
            detail: None,
        };
        running.level.apply(LoadEvent::Sent(InFlight {
            id,
            level: record.level,
            stream,
            due: self.now,
            sent: self.now,
            first: None,
        }));
        self.flights.insert(id, record);
        let job = Job {
            id,
            prompt: self.prompt(id, lengths.input_tokens),
            prompt_tokens: lengths.input_tokens,
            output_tokens: lengths.output_tokens,
        };
        let status = match self.engine.submit(self.now.as_nanos(), job) {
            Admission::Queued => return,
            Admission::Rejected => 429,
            Admission::TooLong { .. } => 400,
        };
        self.end(id, Outcome::HttpStatus { status }, running);
        // A stream backs off, so that fast refusals do not flood the count.
        let pause = running.level.request_time().max(Duration::from_millis(1));
        self.timers.insert((self.now + pause, stream));
    }

    fn prompt(&self, id: u64, tokens: u32) -> PromptKey {
        let params = self.engine.params();
        if params.prefix_cache {
            PromptKey::from_tokens(&self.workload.token_ids(id, tokens), params.block_tokens)
        } else {
            PromptKey::unshared()
        }
    }

    /// Closes a request's record now; returns its stream.
    fn end(&mut self, id: u64, outcome: Outcome, running: &mut Running) -> Option<u32> {
        let mut record = self.flights.remove(&id)?;
        record.done = self.now;
        record.outcome = outcome;
        if outcome.is_completed() {
            record.prompt_tokens = Some(record.asked_prompt_tokens);
            record.usage_output_tokens = Some(record.asked_output_tokens);
        }
        let stream = record.stream;
        running.level.apply(LoadEvent::Ended(Box::new(record)));
        Some(stream)
    }
}

impl Runner for VirtualRunner {
    type Error = Infallible;

    fn now(&self) -> Offset {
        self.now
    }

    fn run_level(
        &mut self,
        plan: LevelPlan,
        slo: &Slo,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Go,
    ) -> Result<FinishedLevel, Infallible> {
        let preemptions = self.engine.gauges().preemptions_total;
        let place = self.row.begin(plan.load);
        let mut running = Running {
            place,
            level: Level::start(plan, slo.clone(), self.now, self.in_flight()),
            server: Observed::default(),
        };
        self.hand_over(&mut running);
        let mut tell_at = self.now;
        loop {
            self.advance(&mut running);
            if running.level.tick(self.now) == Then::End {
                break;
            }
            if self.now >= tell_at {
                tell_at = self.now + PROGRESS;
                let level = &running.level;
                if on_progress(Progress {
                    level,
                    now: self.now,
                }) == Go::Stop
                {
                    break;
                }
            }
        }
        let preempted = self.engine.gauges().preemptions_total - preemptions;
        let server = running.server.window(preempted);
        Ok(running
            .level
            .finish(self.now, ClientHealth::default(), Some(server)))
    }
}

/// The engine's gauges over a window, each step weighted by its length.
#[derive(Debug, Default)]
struct Observed {
    steps: usize,
    nanos: f64,
    running_nanos: f64,
    waiting_nanos: f64,
    running_max: Option<f64>,
    kv_used_ratio_max: Option<f64>,
}

impl Observed {
    /// Takes a step that starts within the window of `level`; others do not count.
    fn see(&mut self, engine: &Engine, step: &Step, level: &Level) {
        if level.phase() != plimsoll_core::level::Phase::Window {
            return;
        }
        let gauges = engine.gauges();
        let (running, nanos) = (gauges.running as f64, step.duration_ns as f64);
        self.steps += 1;
        self.nanos += nanos;
        self.running_nanos += running * nanos;
        self.waiting_nanos += gauges.waiting as f64 * nanos;
        let larger = |old: Option<f64>, new: f64| Some(old.map_or(new, |old| old.max(new)));
        self.running_max = larger(self.running_max, running);
        self.kv_used_ratio_max = larger(self.kv_used_ratio_max, gauges.kv_used_ratio);
    }

    fn window(&self, preempted: u64) -> ServerWindow {
        let mean = |sum: f64| (self.nanos > 0.0).then(|| sum / self.nanos);
        ServerWindow {
            samples: self.steps,
            running_mean: mean(self.running_nanos),
            running_max: self.running_max,
            waiting_mean: mean(self.waiting_nanos),
            kv_used_ratio_max: self.kv_used_ratio_max,
            preemptions: Some(preempted as f64),
        }
    }
}
