//! Levels over a crew in memory: no thread, no socket, no clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::convert::Infallible;

use plimsoll_core::level::{
    Assignment, Hold, LevelSettings, LevelVerdict, Load, OpenLoop, Purpose,
};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{ON_SCHEDULE, RequestRecord, RequestTrace, StreamEvent};

use super::*;
use crate::crew::WorkerStats;

/// How long each request takes, and when its first token comes.
const REQUEST: Duration = Duration::from_millis(200);
const FIRST: Duration = Duration::from_millis(40);

/// Workers of a server that answers every request alike, in a time of their own. Each tells what
/// follows from its assignment, and nothing else.
struct ScriptedCrew {
    now: Offset,
    workers: u32,
    told: Vec<(u32, Offset)>,
    streams: u32,
    next_id: u64,
    /// What will happen, soonest first.
    sends: BinaryHeap<Reverse<(Offset, u32)>>,
    events: VecDeque<LoadEvent>,
    /// Requests that are on their way, in the order of their ends.
    flying: VecDeque<RequestRecord>,
    /// How often the counts were taken.
    taken: u32,
}

impl ScriptedCrew {
    fn of(workers: u32) -> Self {
        Self {
            now: Offset::ZERO,
            workers,
            told: Vec::new(),
            streams: 0,
            next_id: 0,
            sends: BinaryHeap::new(),
            events: VecDeque::new(),
            flying: VecDeque::new(),
            taken: 0,
        }
    }

    fn send(&mut self, at: Offset, stream: u32) {
        let id = self.next_id;
        self.next_id += 1;
        let level = self.told.last().map_or(0, |(level, _)| *level);
        self.events.push_back(LoadEvent::Sent(InFlight {
            id,
            level,
            stream,
            due: at,
            ready: at,
            sent: Some(at),
            first: None,
            heard: None,
            doubt: plimsoll_core::record::Doubt::default(),
        }));
        let record = RequestRecord {
            id,
            level,
            stream,
            due: at,
            ready: at,
            sent: Some(at),
            outputs: None,
            heard: None,
            stamps: None,
            done: at + REQUEST,
            doubt: plimsoll_core::record::Doubt::default(),
            outcome: Outcome::Completed,
            asked_prompt_tokens: 1,
            asked_output_tokens: 2,
            prompt_tokens: Some(1),
            usage_output_tokens: Some(2),
            hidden_output_tokens: None,
            usage_disbelieved: false,
            detail: None,
        };
        self.flying.push_back(record);
    }

    /// A request with what came of it.
    fn trace(record: RequestRecord) -> RequestTrace {
        let first = record.sent.unwrap() + FIRST;
        let output = |at| StreamEvent { at, output: true };
        let events = [first, record.done].map(output).to_vec();
        RequestTrace::new(record, events)
    }

    /// Ends the request that has been under way for the longest; a stream sends again.
    fn end(&mut self) {
        let Some(record) = self.flying.pop_front() else {
            return;
        };
        if record.stream < self.streams {
            self.sends.push(Reverse((record.done, record.stream)));
        }
        self.events.push_back(LoadEvent::First {
            doubt: plimsoll_core::record::Doubt::default(),
            id: record.id,
            at: record.sent.unwrap() + FIRST,
        });
        let ended = LoadEvent::Ended(Box::new(Self::trace(record)));
        self.events.push_back(ended);
    }
}

impl Crew for ScriptedCrew {
    type Error = Infallible;

    fn now(&self) -> Offset {
        self.now
    }

    fn go_over_to(&mut self, plan: &LevelPlan, from: Offset) -> Result<(), Infallible> {
        self.told.push((plan.index, from));
        let before = std::mem::replace(&mut self.streams, plan.closed_streams());
        let streams = self.streams;
        self.sends.retain(|Reverse((_, stream))| *stream < streams);
        for one in Assignment::split(plan, from, self.workers) {
            let new = one.streams().filter(|stream| *stream >= before);
            let starts = new.map(|stream| Reverse((one.start_of(stream, before), stream)));
            self.sends.extend(starts);
            let end = from + plan.longest;
            let due_times = one.due_times().into_iter().flatten();
            let arrivals = due_times.take_while(|due| *due < end);
            self.sends
                .extend(arrivals.map(|due| Reverse((due, ON_SCHEDULE))));
        }
        Ok(())
    }

    fn next_event(&mut self, until: Offset) -> Result<Option<LoadEvent>, Infallible> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            let send = self.sends.peek().map(|Reverse((at, _))| *at);
            let end = self.flying.front().map(|record| record.done);
            let next = send.into_iter().chain(end).min().filter(|at| *at <= until);
            let Some(next) = next else {
                self.now = self.now.max(until);
                return Ok(None);
            };
            self.now = self.now.max(next);
            if end == Some(next) {
                self.end();
            } else if let Some(Reverse((at, stream))) = self.sends.pop() {
                self.send(at, stream);
            }
        }
    }

    fn take_stats(&mut self) -> Result<WorkerStats, Infallible> {
        self.taken += 1;
        Ok(WorkerStats::default())
    }

    fn stop(self) -> Vec<LoadEvent> {
        let cut = |record: RequestRecord| {
            LoadEvent::Ended(Box::new(Self::trace(RequestRecord {
                outcome: Outcome::CutAtEnd,
                ..record
            })))
        };
        self.events
            .into_iter()
            .chain(self.flying.into_iter().map(cut))
            .collect()
    }
}

fn plan(index: u32, load: Load) -> LevelPlan {
    LevelPlan {
        index,
        purpose: Purpose::Ramp,
        load,
        open_loop: OpenLoop::default(),
        hold: Hold::Screen,
        request_time: REQUEST,
        longest_hold: Duration::from_secs(20),
        longest: Duration::from_secs(60),
        settings: LevelSettings::default(),
    }
}

fn slo() -> Slo {
    "ttft p95 < 1 s".parse().unwrap()
}

fn run(coordinator: &mut Coordinator<ScriptedCrew>, plan: LevelPlan) -> FinishedLevel {
    let Ok(finished) = coordinator.run_level(plan, &slo(), &mut |_| Go::On);
    finished
}

#[test]
fn a_level_runs_without_sockets_and_threads() {
    let mut coordinator = Coordinator::new(ScriptedCrew::of(2), None);
    let finished = run(&mut coordinator, plan(0, Load::Streams(10)));
    let summary = &finished.summary;
    assert_eq!(summary.verdict, LevelVerdict::Screened, "{summary:?}");
    assert!(summary.requests.balance());
    assert_eq!(finished.in_flight.len(), 10);
    // Before the level, at its window, at its end.
    assert_eq!(coordinator.crew.taken, 3);
    let throughput = summary.request_per_s;
    assert!((throughput.unwrap() - 50.0).abs() < 2.5, "{throughput:?}");
}

#[test]
fn what_is_in_flight_goes_on_in_the_next_level() {
    let mut coordinator = Coordinator::new(ScriptedCrew::of(3), None);
    let first = run(&mut coordinator, plan(0, Load::Streams(10)));
    let second = run(&mut coordinator, plan(1, Load::Streams(20)));
    assert_eq!(
        second.summary.requests.carried_in,
        first.in_flight.len() as u64
    );
    let third = run(&mut coordinator, plan(2, Load::RatePerS(40.0)));
    for level in [&first, &second, &third] {
        assert!(level.summary.requests.balance(), "{:?}", level.summary);
    }
    let told: Vec<u32> = coordinator
        .crew
        .told
        .iter()
        .map(|(level, _)| *level)
        .collect();
    assert_eq!(told, [0, 1, 2]);
    let left = third.in_flight.len();
    assert_eq!(coordinator.stop().len(), left);
}

#[test]
fn any_number_of_workers_gives_the_same_level() {
    for load in [Load::Streams(25), Load::RatePerS(40.0)] {
        let level = |workers| {
            let mut coordinator = Coordinator::new(ScriptedCrew::of(workers), None);
            run(&mut coordinator, plan(0, load))
        };
        let alone = level(1);
        for workers in [2, 3, 7] {
            let split = level(workers);
            assert_eq!(split.summary, alone.summary, "{workers}");
            assert_eq!(split.records, alone.records, "{workers}");
        }
    }
}

#[test]
fn a_listener_ends_a_level_at_the_next_tick() {
    let mut coordinator = Coordinator::new(ScriptedCrew::of(1), None);
    let mut ticks = 0;
    let Ok(finished) = coordinator.run_level(plan(0, Load::Streams(4)), &slo(), &mut |_| {
        ticks += 1;
        if ticks == 3 { Go::Stop } else { Go::On }
    });
    assert_eq!(coordinator.now(), Offset::ZERO + TICK * 3);
    assert!(finished.summary.requests.balance());
}
