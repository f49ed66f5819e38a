//! Reads `events.jsonl` back, also where the power went in the middle of a line.

use plimsoll_core::record::InFlight;
use plimsoll_core::run::{Format, Run, RunEvent, RunState, is_possible_time};

use super::FileFault;
use super::files::Whole;

/// A log as far as it is whole.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) format: Format,
    pub(super) run: Run,
    /// Finished levels: those that were held as planned.
    pub(super) levels: u32,
    /// What each of them left in flight.
    pub(super) in_flight: Vec<Vec<InFlight>>,
    /// The sum of the lines of its requests, where it is known.
    pub(super) sums: Vec<Option<u32>>,
    /// Until when the clock is known to have run, seconds since the run's start.
    pub(super) last_s: f64,
    pub(super) whole: Whole,
}

impl Log {
    /// Reads a log.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FileFault> {
        let first = bytes.split(|byte| *byte == b'\n').next();
        let format = format_of(first.unwrap_or(bytes))?;
        let (events, whole) = whole_lines(bytes, format)?;
        let mut events = events.into_iter();
        let run = events.next().and_then(Run::begin);
        let run = run.ok_or(FileFault::NoStart)?;
        if let Some((name, seconds)) = run.plan.impossible_time() {
            return Err(FileFault::ImpossibleTime { name, seconds });
        }
        let mut log = Self {
            format,
            run,
            levels: 0,
            in_flight: Vec::new(),
            sums: Vec::new(),
            last_s: 0.0,
            whole,
        };
        events.try_for_each(|event| log.take(event))?;
        Ok(log)
    }

    fn take(&mut self, event: RunEvent) -> Result<(), FileFault> {
        if self.run.state != RunState::Running && !matches!(event, RunEvent::Resumed { .. }) {
            return Err(FileFault::GoesOn);
        }
        possible(&event)?;
        match &event {
            RunEvent::RunStarted { .. } => return Err(FileFault::TwoRuns),
            RunEvent::LevelStarted { index, at_s, .. } => {
                self.follows(*index)?;
                self.last_s = self.last_s.max(*at_s);
            }
            RunEvent::LevelCut { level } => {
                self.follows(level.index)?;
                self.last_s = self.last_s.max(level.started_s + level.duration_s);
            }
            RunEvent::LevelFinished {
                level,
                in_flight,
                requests_crc32,
            } => {
                self.follows(level.index)?;
                if !level.requests.balance() {
                    return Err(FileFault::OddCounts(level.index));
                }
                self.last_s = self.last_s.max(level.started_s + level.duration_s);
                self.levels += 1;
                self.in_flight.push(in_flight.clone());
                self.sums.push(*requests_crc32);
            }
            RunEvent::Resumed {
                next_level, at_s, ..
            } => {
                self.follows(*next_level)?;
                self.last_s = self.last_s.max(*at_s);
            }
            RunEvent::RunFinished { verdict, .. } => {
                self.last_s = self.last_s.max(verdict.load_time_s);
            }
            RunEvent::CheckFinished { .. } => {}
        }
        self.run.apply(event);
        Ok(())
    }

    fn follows(&self, index: u32) -> Result<(), FileFault> {
        if index == self.levels {
            return Ok(());
        }
        Err(FileFault::LevelMissing {
            found: index,
            due: self.levels,
        })
    }
}

/// Times that a run can have.
fn possible(event: &RunEvent) -> Result<(), FileFault> {
    let times = match event {
        RunEvent::RunStarted { .. } | RunEvent::CheckFinished { .. } => return Ok(()),
        RunEvent::LevelStarted { at_s, .. } | RunEvent::Resumed { at_s, .. } => {
            [("at_s", *at_s), ("at_s", *at_s)]
        }
        RunEvent::LevelCut { level } | RunEvent::LevelFinished { level, .. } => [
            ("started_s", level.started_s),
            ("duration_s", level.duration_s),
        ],
        RunEvent::RunFinished { verdict, .. } => {
            let time = ("load_time_s", verdict.load_time_s);
            [time, time]
        }
    };
    let wrong = times.into_iter().find(|(_, time)| !is_possible_time(*time));
    wrong.map_or(Ok(()), |(name, seconds)| {
        Err(FileFault::ImpossibleTime { name, seconds })
    })
}

/// A newer version may have what is unknown here, so it is looked at before the rest of a run or of
/// its first event.
pub(super) fn format_of(bytes: &[u8]) -> Result<Format, FileFault> {
    Format::of(bytes).map_err(|unknown| FileFault::NewerSchema(unknown.schema_version))
}

/// The events up to a last line that was not written to its end.
fn whole_lines(bytes: &[u8], format: Format) -> Result<(Vec<RunEvent>, Whole), FileFault> {
    let mut events = Vec::new();
    let mut whole = Whole::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = whole.bytes + line.len() as u64;
        match format.event(line) {
            Ok(event) => events.push(event),
            Err(_) if end == bytes.len() as u64 => break,
            Err(error) => {
                let line = events.len() + 1;
                return Err(FileFault::NoEvent { line, error });
            }
        }
        whole = Whole {
            bytes: end,
            lacks_newline: !line.ends_with(b"\n"),
        };
    }
    Ok((events, whole))
}
