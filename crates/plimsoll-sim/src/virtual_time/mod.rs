//! The load in virtual time: streams or arrivals over the pure engine, without a clock or a socket.
//!
//! A second of load costs milliseconds, so that the search can be tested against engines whose
//! capacity is known. The client is a perfect one: it sends the instant a request is due and sees
//! every token the instant its step ends.

mod arrivals;
mod observed;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use plimsoll_core::level::{ClientHealth, FinishedLevel, Level, LevelPlan, Step as Then};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{Doubt, InFlight, LoadEvent, RequestRecord, RequestTrace, StreamEvent};
use plimsoll_core::runner::{Go, Progress, Runner};
use plimsoll_core::schedule::scatter;
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_core::workload::Workload;

use crate::engine::{Admission, Engine, EngineParams, Job, PromptKey, Step};
use arrivals::Arrivals;
use observed::Observed;

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
    flights: BTreeMap<u64, Flight>,
    /// When a stream sends next that has nothing in flight.
    timers: BTreeSet<(Offset, u32)>,
    /// Arrivals that wait for a place under the cap.
    waiting: VecDeque<InFlight>,
    next_id: u64,
}

/// A request that the engine holds, and what has come of it.
#[derive(Debug)]
struct Flight {
    record: RequestRecord,
    events: Vec<StreamEvent>,
}

/// What belongs to the level under way.
struct Running {
    level: Level,
    /// Requests that ended since the listener was told.
    ended: Vec<RequestTrace>,
    arrivals: Option<Arrivals>,
    server: Observed,
}

impl Running {
    /// Enters the end of a request.
    fn end(&mut self, request: RequestTrace) {
        let event = LoadEvent::Ended(Box::new(request));
        self.level.apply(&event);
        if let LoadEvent::Ended(request) = event {
            self.ended.push(*request);
        }
    }

    /// Tells the listener how far the level is at `now`.
    fn tell(&mut self, now: Offset, on_progress: &mut dyn FnMut(Progress<'_>) -> Go) -> Go {
        let ended = std::mem::take(&mut self.ended);
        on_progress(Progress {
            level: &self.level,
            now,
            ended: &ended,
        })
    }
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
            waiting: VecDeque::new(),
            next_id: 0,
        }
    }

    /// Returns the engine, for its gauges.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn in_flight(&self) -> Vec<InFlight> {
        let flights = self
            .flights
            .values()
            .map(|Flight { record, events }| InFlight {
                first: events.first().map(|event| event.at),
                ..record.as_in_flight()
            });
        flights.chain(self.waiting.iter().copied()).collect()
    }

    /// Lets the surplus go and schedules the new streams.
    fn hand_over(&mut self, running: &mut Running) {
        let streams = running.level.plan().closed_streams();
        self.give_up_waiting(running);
        let surplus: Vec<u64> = self
            .flights
            .values()
            .filter(|flight| flight.record.stream >= streams && flight.events.is_empty())
            .map(|flight| flight.record.id)
            .collect();
        for id in surplus {
            self.engine.cancel(id);
            self.end(id, Outcome::CutAtEnd, running);
        }
        self.timers.retain(|(_, stream)| *stream < streams);
        let busy: BTreeSet<u32> = self
            .flights
            .values()
            .map(|flight| flight.record.stream)
            .chain(self.timers.iter().map(|(_, stream)| *stream))
            .collect();
        let spread = running.level.plan().handover(busy.len() as u32);
        let new = (0..streams).filter(|stream| !busy.contains(stream));
        for (i, stream) in (0..).zip(new) {
            let delay = match running.level.plan().settings.think {
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
        self.now = [step_end, timer, arrivals::next_at(running)]
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
            let request = self.number(stream, running);
            self.send(request, running);
        }
        self.fill_places(running);
        self.arrive(running);
    }

    /// Hands the tokens of a step that has ended to their streams.
    fn deliver(&mut self, step: &Step, running: &mut Running) {
        let at = self.now;
        for &id in &step.tokens {
            // A cancelled request may still be in the step that was under way.
            let Some(flight) = self.flights.get_mut(&id) else {
                continue;
            };
            if flight.events.is_empty() {
                running.level.apply(&LoadEvent::First {
                    id,
                    at,
                    doubt: Doubt::default(),
                });
            }
            flight.events.push(StreamEvent { at, output: true });
        }
        for &id in &step.finished {
            let sent = self.flights.get(&id).map_or(at, |flight| flight.record.due);
            if let Some(stream) = self.end(id, Outcome::Completed, running)
                && stream < running.level.plan().closed_streams()
            {
                let redraw = running.level.redraw();
                let redraw = redraw.map(|redraw| redraw.pause(stream, sent, at));
                let think = running.level.plan().settings.think;
                let think = think.map(|think| think.after(id));
                let pause = think.into_iter().chain(redraw).sum::<Duration>();
                if pause.is_zero() {
                    let request = self.number(stream, running);
                    self.send(request, running);
                } else {
                    self.timers.insert((at + pause, stream));
                }
            }
        }
    }

    /// The next request of the run, due now.
    fn number(&mut self, stream: u32, running: &Running) -> InFlight {
        let id = self.next_id;
        self.next_id += 1;
        InFlight {
            id,
            level: running.level.plan().index,
            stream,
            due: self.now,
            ready: self.now,
            sent: None,
            first: None,
            heard: None,
            doubt: Doubt::default(),
        }
    }

    /// The record of a request as it is now.
    fn record(&self, request: &InFlight) -> RequestRecord {
        let lengths = self.workload.lengths(request.id);
        RequestRecord {
            id: request.id,
            level: request.level,
            stream: request.stream,
            due: request.due,
            ready: request.ready,
            sent: request.sent,
            outputs: None,
            heard: None,
            stamps: None,
            done: self.now,
            doubt: Doubt::default(),
            outcome: Outcome::CutAtEnd,
            asked_prompt_tokens: lengths.input_tokens,
            asked_output_tokens: lengths.output_tokens,
            prompt_tokens: None,
            usage_output_tokens: None,
            hidden_output_tokens: None,
            usage_disbelieved: false,
            detail: None,
        }
    }

    fn send(&mut self, request: InFlight, running: &mut Running) {
        let id = request.id;
        let request = InFlight {
            sent: Some(self.now),
            ..request
        };
        let record = self.record(&request);
        let (input_tokens, output_tokens) =
            (record.asked_prompt_tokens, record.asked_output_tokens);
        running.level.apply(&LoadEvent::Sent(request));
        let events = Vec::with_capacity(output_tokens as usize);
        self.flights.insert(id, Flight { record, events });
        let job = Job {
            id,
            prompt: self.prompt(id, input_tokens),
            prompt_tokens: input_tokens,
            output_tokens,
        };
        let status = match self.engine.submit(self.now.as_nanos(), job) {
            Admission::Queued => return,
            Admission::Rejected => 429,
            Admission::TooLong { .. } => 400,
        };
        self.end(id, Outcome::HttpStatus { status }, running);
        if !request.is_on_schedule() {
            // A stream backs off, so that fast refusals do not flood the count.
            let pause = running.level.request_time().max(Duration::from_millis(1));
            self.timers.insert((self.now + pause, request.stream));
        }
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
        let Flight { mut record, events } = self.flights.remove(&id)?;
        record.done = self.now;
        record.outcome = outcome;
        if outcome.is_completed() {
            record.prompt_tokens = Some(record.asked_prompt_tokens);
            record.usage_output_tokens = Some(record.asked_output_tokens);
        }
        let stream = record.stream;
        running.end(RequestTrace::new(record, events));
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
        let mut running = Running {
            arrivals: Arrivals::of(&plan, self.now),
            level: Level::start(plan, slo.clone(), self.now, self.in_flight()),
            ended: Vec::new(),
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
                if running.tell(self.now, on_progress) == Go::Stop {
                    break;
                }
            }
        }
        let _ = running.tell(self.now, on_progress);
        let preempted = self.engine.gauges().preemptions_total - preemptions;
        let server = running.server.window(preempted);
        Ok(running
            .level
            .finish(self.now, ClientHealth::default(), Some(server)))
    }
}
