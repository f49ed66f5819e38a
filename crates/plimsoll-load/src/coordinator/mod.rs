//! Steps a level over a crew, and knows nothing of how the crew carries it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::level::{FinishedLevel, Level, LevelPlan, Step};
use plimsoll_core::record::{InFlight, LoadEvent, RequestTrace};
use plimsoll_core::runner::{Go, Progress, Runner};
use plimsoll_core::slo::Slo;
use plimsoll_core::telemetry::ServerWindow;
use plimsoll_core::time::Offset;

use crate::clock::Clock;
use crate::crew::{Crew, CrewOptions, ThreadCrew};
use crate::error::LoadError;
use crate::source::RequestSource;
use crate::target::Target;
use crate::telemetry::Telemetry;

/// How often the level is stepped and the listener called.
const TICK: Duration = Duration::from_millis(50);

/// Carries levels by a crew.
pub struct Coordinator<C> {
    crew: C,
    telemetry: Option<Telemetry>,
    in_flight: Vec<InFlight>,
}

/// Carries levels over sockets, by threads of this process.
pub type SocketRunner = Coordinator<ThreadCrew>;

impl SocketRunner {
    /// Starts the workers; no request is sent yet.
    ///
    /// # Errors
    /// The host has no address, TLS cannot be set up, or a worker cannot be started.
    pub fn start(
        target: &Target,
        source: &Arc<dyn RequestSource>,
        telemetry: Option<Telemetry>,
        clock: Clock,
        options: CrewOptions,
    ) -> Result<Self, LoadError> {
        let crew = ThreadCrew::start(target, source, clock, options)?;
        Ok(Self::new(crew, telemetry))
    }
}

impl<C: Crew> Coordinator<C> {
    /// Takes a crew that has nothing in flight. The server's own signals come from `telemetry`.
    pub fn new(crew: C, telemetry: Option<Telemetry>) -> Self {
        Self {
            crew,
            telemetry,
            in_flight: Vec::new(),
        }
    }

    /// Cuts what is in flight, ends the workers, and gives the events of the last requests.
    pub fn stop(self) -> Vec<LoadEvent> {
        self.crew.stop()
    }

    /// Applies what happens within one tick. Returns the requests that ended in it.
    fn pump(&mut self, level: &mut Level) -> Result<Vec<RequestTrace>, C::Error> {
        let until = self.crew.now() + TICK;
        let mut ended = Vec::new();
        while let Some(event) = self.crew.next_event(until)? {
            level.apply(&event);
            if let LoadEvent::Ended(request) = event {
                ended.push(*request);
            }
        }
        Ok(ended)
    }

    /// Closes a level at `now`. What the client and the server say of themselves is of the window, or
    /// of the whole level where it ended before its window began.
    fn finish(&mut self, level: Level, now: Offset) -> Result<FinishedLevel, C::Error> {
        let from = level.window_from().unwrap_or(level.started_at());
        let client = self.crew.take_stats()?.health(now.since(from));
        let telemetry = self.telemetry.as_ref();
        let samples = telemetry.map_or_else(Vec::new, |telemetry| telemetry.take(now));
        let server = ServerWindow::of(&samples, from, now);
        let finished = level.finish(now, client, server);
        self.in_flight.clone_from(&finished.in_flight);
        Ok(FinishedLevel {
            samples,
            ..finished
        })
    }
}

impl<C: Crew> Runner for Coordinator<C> {
    type Error = C::Error;

    fn now(&self) -> Offset {
        self.crew.now()
    }

    fn run_level(
        &mut self,
        plan: LevelPlan,
        slo: &Slo,
        on_progress: &mut dyn FnMut(Progress<'_>) -> Go,
    ) -> Result<FinishedLevel, C::Error> {
        let now = self.crew.now();
        self.crew.go_over_to(&plan, now)?;
        // What was counted before the level is not of it.
        drop(self.crew.take_stats()?);
        let mut level = Level::start(plan, slo.clone(), now, std::mem::take(&mut self.in_flight));
        loop {
            let ended = self.pump(&mut level)?;
            let now = self.crew.now();
            let step = level.tick(now);
            if level.window_from() == Some(now) {
                drop(self.crew.take_stats()?);
            }
            let go = on_progress(Progress {
                level: &level,
                now,
                ended: &ended,
            });
            if step == Step::End || go == Go::Stop {
                return self.finish(level, now);
            }
        }
    }
}
