//! Arrivals on a schedule, and those that wait for a place under the cap.

use std::iter::Peekable;

use plimsoll_core::level::LevelPlan;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{InFlight, LoadEvent, ON_SCHEDULE, RequestRecord, RequestTrace};
use plimsoll_core::schedule::OpenLoopDues;
use plimsoll_core::time::Offset;

use super::{Running, VirtualRunner};

/// The schedule of a level.
pub(super) struct Arrivals {
    dues: Peekable<OpenLoopDues>,
    from: Offset,
    most_in_flight: usize,
}

impl Arrivals {
    /// The arrivals of a level that starts at `from`; `None` if its load are streams.
    pub(super) fn of(plan: &LevelPlan, from: Offset) -> Option<Self> {
        let cap = plan.open_loop.most_in_flight;
        Some(Self {
            dues: plan.dues()?.peekable(),
            from,
            most_in_flight: cap.map_or(usize::MAX, |cap| cap as usize),
        })
    }

    /// When the next one is due.
    pub(super) fn next_at(&mut self) -> Option<Offset> {
        self.dues.peek().map(|due| self.from + *due)
    }
}

impl VirtualRunner {
    /// Lets everything arrive that is due by now.
    pub(super) fn arrive(&mut self, running: &mut Running) {
        while let Some(due) = next_at(running).filter(|due| *due <= self.now) {
            if let Some(arrivals) = &mut running.arrivals {
                let _ = arrivals.dues.next();
            }
            let request = InFlight {
                due,
                ready: due,
                ..self.number(ON_SCHEDULE, running)
            };
            if self.has_place(running) {
                self.send(request, running);
            } else {
                running.level.apply(&LoadEvent::Due(request));
                self.waiting.push_back(request);
            }
        }
    }

    /// Sends those that wait, first come, first served, as far as there is a place.
    pub(super) fn fill_places(&mut self, running: &mut Running) {
        while self.has_place(running)
            && let Some(request) = self.waiting.pop_front()
        {
            let ready = self.now;
            self.send(InFlight { ready, ..request }, running);
        }
    }

    /// Gives up those that still wait, when a level is over.
    pub(super) fn give_up_waiting(&mut self, running: &mut Running) {
        for request in std::mem::take(&mut self.waiting) {
            let record = RequestRecord {
                done: self.now,
                outcome: Outcome::NeverSent,
                ..self.record(&request)
            };
            running.end(RequestTrace::new(record, Vec::new()));
        }
    }

    fn has_place(&self, running: &Running) -> bool {
        running
            .arrivals
            .as_ref()
            .is_some_and(|arrivals| self.flights.len() < arrivals.most_in_flight)
    }
}

pub(super) fn next_at(running: &mut Running) -> Option<Offset> {
    running.arrivals.as_mut().and_then(Arrivals::next_at)
}
