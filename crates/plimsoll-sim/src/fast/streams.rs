//! Closed-loop streams over the fast engine: who sends when, and what reaches the client when.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_core::workload::{Lengths, ThinkTime};

use super::engine::FastEngine;
use super::jitter::Jitter;
use crate::engine::Admission;

/// The longest stretch without an event, ns.
const TICK_NS: u64 = 50_000_000;
/// Requests of other tenants have no stream.
const FOREIGN: u32 = u32::MAX;

/// A request under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub(super) stream: u32,
    pub(super) sent_ns: u64,
    pub(super) first_ns: Option<u64>,
    pub(super) lengths: Lengths,
    pub(super) request: u64,
}

/// How a request went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Completed,
    /// Refused at once with this HTTP status.
    Refused(u16),
    Cut,
}

/// Whoever watches the streams.
pub(super) trait Watch {
    fn sent(&mut self, flight: &Flight);
    fn first(&mut self, flight: &Flight, at_ns: u64);
    fn ended(&mut self, flight: &Flight, at_ns: u64, fate: Fate);
    /// How long a refused stream waits before it sends again, ns.
    fn back_off_ns(&self) -> u64;
}

/// The streams; see the module.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    pub(super) engine: FastEngine,
    pub(super) now_ns: u64,
    /// Streams with a number below this send.
    pub(super) count: u32,
    lengths: Arc<[Lengths]>,
    step_end_ns: Option<u64>,
    flights: Vec<Option<Flight>>,
    vacant: Vec<u64>,
    /// (when, stream): who sends next.
    timers: BTreeSet<(u64, u32)>,
    /// (when, flight, whether it is the last): what a proxy holds back.
    held: BTreeSet<(u64, u64, bool)>,
    requests: u64,
    /// Whether each level starts anew in the table of lengths.
    pub(super) same_lengths: bool,
    /// How streams wait after an answer, before they send again.
    pub(super) think: Option<ThinkTime>,
    /// Position in the table of lengths.
    next_length: usize,
    tenants_at_ns: Option<u64>,
    chance: Jitter,
}

impl Streams {
    pub(super) fn new(engine: FastEngine, lengths: Arc<[Lengths]>, seed: u64) -> Self {
        let mut streams = Self {
            engine,
            now_ns: 0,
            count: 0,
            lengths,
            step_end_ns: None,
            flights: Vec::new(),
            vacant: Vec::new(),
            timers: BTreeSet::new(),
            held: BTreeSet::new(),
            requests: 0,
            same_lengths: false,
            think: None,
            next_length: 0,
            tenants_at_ns: None,
            chance: Jitter::new(0.0, seed ^ 0x5eed),
        };
        streams.tenants_at_ns = streams.next_tenants();
        streams
    }

    /// Requests of our own in flight.
    pub(super) fn in_flight(&self) -> impl Iterator<Item = &Flight> {
        self.flights
            .iter()
            .flatten()
            .filter(|flight| flight.stream != FOREIGN)
    }

    /// Goes over to `count` streams: the surplus without a token is cut, new ones start at the
    /// offsets that `spread_ns` gives the i-th of them.
    pub(super) fn hand_over(
        &mut self,
        count: u32,
        offset_ns: impl Fn(u32) -> u64,
        watch: &mut impl Watch,
    ) {
        self.count = count;
        if self.same_lengths {
            self.next_length = 0;
        }
        for id in 0..self.flights.len() as u64 {
            let surplus = self.flights[id as usize].is_some_and(|flight| {
                flight.stream >= count && flight.stream != FOREIGN && flight.first_ns.is_none()
            });
            if surplus && !self.held.iter().any(|(_, flight, _)| *flight == id) {
                self.engine.cancel(id);
                self.end(id, self.now_ns, Fate::Cut, watch);
            }
        }
        self.timers.retain(|(_, stream)| *stream < count);
        let busy: BTreeSet<u32> = self
            .in_flight()
            .map(|flight| flight.stream)
            .chain(self.timers.iter().map(|(_, stream)| *stream))
            .collect();
        let new = (0..count).filter(|stream| !busy.contains(stream));
        for (i, stream) in (0..).zip(new) {
            self.timers.insert((self.now_ns + offset_ns(i), stream));
        }
    }

    /// How many streams are there: in flight or about to send.
    pub(super) fn busy(&self) -> u32 {
        (self.in_flight().count() + self.timers.len()) as u32
    }

    /// Moves to the next instant at which something happens, and lets it happen.
    pub(super) fn advance(&mut self, watch: &mut impl Watch) {
        if self.step_end_ns.is_none() {
            self.step_end_ns = self.engine.step();
        }
        let timer = self.timers.first().map(|(at, _)| *at);
        let held = self.held.first().map(|(at, ..)| *at);
        self.now_ns = [self.step_end_ns, timer, held, self.tenants_at_ns]
            .into_iter()
            .flatten()
            .fold(self.now_ns + TICK_NS, u64::min);
        if self.step_end_ns.is_some_and(|end| end <= self.now_ns) {
            self.step_end_ns = None;
            self.deliver(watch);
        }
        while let Some((_, id, is_last)) = self.held.pop_first_until(self.now_ns) {
            self.show(id, is_last, watch);
        }
        while let Some(&(at, stream)) = self.timers.first().filter(|(at, _)| *at <= self.now_ns) {
            self.timers.remove(&(at, stream));
            self.send(stream, watch);
        }
        if self.tenants_at_ns.is_some_and(|at| at <= self.now_ns) {
            self.tenants_come();
        }
    }

    /// Hands over what the step brought, or lets the proxy hold it.
    fn deliver(&mut self, watch: &mut impl Watch) {
        let at = self.engine.trouble().delivered(self.now_ns);
        let told = |ids: &[u64], is_last: bool| -> Vec<(u64, u64, bool)> {
            ids.iter().map(|id| (at, *id, is_last)).collect()
        };
        let mut all = told(self.engine.firsts(), false);
        all.extend(told(self.engine.finished(), true));
        if at > self.now_ns {
            self.held.extend(all);
            return;
        }
        for (_, id, is_last) in all {
            self.show(id, is_last, watch);
        }
    }

    /// The client sees a first or a last token.
    fn show(&mut self, id: u64, is_last: bool, watch: &mut impl Watch) {
        let now_ns = self.now_ns;
        // A cancelled request may still have been in the step that was under way.
        let Some(flight) = self.flights[id as usize].as_mut() else {
            return;
        };
        if flight.first_ns.is_none() {
            flight.first_ns = Some(now_ns);
            if flight.stream != FOREIGN {
                watch.first(flight, now_ns);
            }
        }
        let request = flight.request;
        if is_last
            && let Some(stream) = self.end(id, now_ns, Fate::Completed, watch)
            && stream < self.count
        {
            match self.think {
                Some(think) => {
                    let wait_ns = think.after(request).as_nanos() as u64;
                    self.timers.insert((now_ns + wait_ns, stream));
                }
                None => self.send(stream, watch),
            }
        }
    }

    fn send(&mut self, stream: u32, watch: &mut impl Watch) {
        let lengths = self.lengths[self.next_length % self.lengths.len()];
        self.next_length += 1;
        let flight = Flight {
            stream,
            sent_ns: self.now_ns,
            first_ns: None,
            lengths,
            request: self.requests,
        };
        self.requests += 1;
        watch.sent(&flight);
        let (id, admission) = self.enter(flight);
        let status = match admission {
            Admission::Queued => return,
            Admission::Rejected => 429,
            Admission::TooLong { .. } => 400,
        };
        self.end(id, self.now_ns, Fate::Refused(status), watch);
        self.timers
            .insert((self.now_ns + watch.back_off_ns().max(1), stream));
    }

    fn enter(&mut self, flight: Flight) -> (u64, Admission) {
        let id = self.vacant.pop().unwrap_or_else(|| {
            self.flights.push(None);
            self.flights.len() as u64 - 1
        });
        self.flights[id as usize] = Some(flight);
        let Lengths {
            input_tokens,
            output_tokens,
        } = flight.lengths;
        let admission = self
            .engine
            .submit(self.now_ns, id, input_tokens, output_tokens);
        (id, admission)
    }

    /// Closes a request; returns its stream.
    fn end(&mut self, id: u64, at_ns: u64, fate: Fate, watch: &mut impl Watch) -> Option<u32> {
        let flight = self.flights[id as usize].take()?;
        self.vacant.push(id);
        if flight.stream == FOREIGN {
            return None;
        }
        watch.ended(&flight, at_ns, fate);
        Some(flight.stream)
    }

    fn next_tenants(&mut self) -> Option<u64> {
        let every_s = self.engine.trouble().tenants?.every_s;
        let wait_s = -every_s * (1.0 - self.chance.uniform()).ln();
        Some(self.now_ns + (wait_s * 1e9) as u64 + 1)
    }

    fn tenants_come(&mut self) {
        let requests = self
            .engine
            .trouble()
            .tenants
            .map_or(0, |tenants| tenants.requests);
        for _ in 0..requests {
            let pick = (self.chance.uniform() * self.lengths.len() as f64) as usize;
            let flight = Flight {
                stream: FOREIGN,
                sent_ns: self.now_ns,
                first_ns: None,
                lengths: self.lengths[pick],
                request: u64::MAX,
            };
            let (id, admission) = self.enter(flight);
            if admission != Admission::Queued {
                self.flights[id as usize] = None;
                self.vacant.push(id);
            }
        }
        self.tenants_at_ns = self.next_tenants();
    }
}

/// Taking what is due out of an ordered set.
trait PopUntil {
    fn pop_first_until(&mut self, now_ns: u64) -> Option<(u64, u64, bool)>;
}

impl PopUntil for BTreeSet<(u64, u64, bool)> {
    fn pop_first_until(&mut self, now_ns: u64) -> Option<(u64, u64, bool)> {
        self.first()
            .filter(|(at, ..)| *at <= now_ns)
            .copied()
            .inspect(|first| {
                self.remove(first);
            })
    }
}
