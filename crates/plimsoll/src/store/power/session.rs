//! A run that is recorded on a disk, and what it was after each step: the truth that the disk is held
//! against.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use plimsoll_core::level::{FinishedLevel, Level};
use plimsoll_core::record::LoadEvent;
use plimsoll_core::run::{Run, RunEvent, RunState};
use plimsoll_core::runner::{Go, Progress};
use plimsoll_core::search::{Listener, Search};
use plimsoll_core::slo::Slo;
use plimsoll_core::time::Offset;
use plimsoll_report::lang::Lang;

use super::super::tests::{self, Held};
use super::super::{Folder, Saved, place};
use super::shaky::{Shaky, Trouble};
use crate::fault::Failure;
use crate::measure::{Console, Recorder, begin, go_on};
use crate::signal::Stop;

const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;
/// The last of them is cut off in the first session.
const LEVELS: u32 = 3;

pub(super) static LEVELS_RUN: LazyLock<Vec<Held>> = LazyLock::new(|| tests::levels(LEVELS));

/// What a run was when a step of it was over.
pub(super) struct Moment {
    /// What its disk had done by then.
    pub(super) ops: usize,
    /// `None` before its first event.
    pub(super) run: Option<Run>,
    /// Whether `run.json` says as much.
    pub(super) is_in_run_file: bool,
}

impl Moment {
    pub(super) fn is(&self, run: &Run) -> bool {
        self.run.as_ref() == Some(run)
    }
}

/// A process that records a run.
pub(super) struct Session {
    pub(super) disk: Shaky,
    /// What it told of itself, as long as its disk took it.
    pub(super) moments: Vec<Moment>,
}

/// The folder of the run. Neither it nor the one that it is in is there at first.
pub(super) fn folder_in(root: &Path) -> PathBuf {
    root.join("runs").join("one")
}

impl Session {
    /// A run from its first event on, which is interrupted within its last level and ends.
    pub(super) fn ended(root: &Path) -> Self {
        Self::begun(root, None, |session, folder, run| {
            session.records(folder, run, |session, mut recorder| {
                session.is_interrupted(&mut recorder);
                let event = end_of(&recorder.run);
                let run = recorder.finish(&event, Lang::En).kept().unwrap();
                session.has(Some(&run), true);
            });
            Ok(())
        })
    }

    /// The same up to where it would draw its pictures, which takes long, on a disk with a trouble.
    pub(super) fn recorded(root: &Path, trouble: Option<Trouble>) -> Self {
        Self::begun(root, trouble, |session, folder, run| {
            session.records(folder, run, |session, mut recorder| {
                session.is_interrupted(&mut recorder);
            });
            Ok(())
        })
    }

    /// The run goes on, up to the end of its last level.
    pub(super) fn again(root: &Path, disk: Shaky) -> Self {
        let path = folder_in(root);
        let mut session = Self::on(disk);
        let folder = place::go_on(Box::new(session.disk.clone()), &path).unwrap();
        let saved = Saved::read(&path).unwrap();
        session.has(Some(&saved.run), false);
        let run = go_on(&folder, NOW, &saved, None).unwrap();
        session.has(Some(&run), true);
        session.records(&folder, run, |session, mut recorder| {
            for level in &LEVELS_RUN[saved.levels as usize..] {
                session.level(&mut recorder, level);
            }
        });
        session
    }

    fn on(disk: Shaky) -> Self {
        Self {
            disk,
            moments: Vec::new(),
        }
    }

    /// An error ends it, as it ends the program.
    fn begun(
        root: &Path,
        trouble: Option<Trouble>,
        goes_on: impl FnOnce(&mut Self, &Folder, Run) -> Result<(), Failure>,
    ) -> Self {
        let mut session = Self::on(Shaky::below(root, trouble));
        session.has(None, false);
        let done = session.begin(root);
        drop(done.and_then(|(folder, run)| goes_on(&mut session, &folder, run)));
        session
    }

    fn begin(&mut self, root: &Path) -> Result<(Folder, Run), Failure> {
        let folder = place::take(Box::new(self.disk.clone()), &folder_in(root))?;
        let RunEvent::RunStarted {
            plan,
            environment,
            server,
            ..
        } = tests::started()
        else {
            unreachable!("it is that event")
        };
        let run = begin(&folder, NOW, *plan, (environment, *server))?;
        self.has(Some(&run), false);
        Ok((folder, run))
    }

    fn records(&mut self, folder: &Folder, run: Run, levels: impl FnOnce(&mut Self, Recorder<'_>)) {
        let (console, stop) = (Console::new(true, Lang::En), Stop::default());
        levels(self, Recorder::new(run, folder, &console, &stop));
    }

    /// As `drive` and what comes after it do, and also on a disk that takes no more.
    fn is_interrupted(&mut self, recorder: &mut Recorder<'_>) {
        let (last, levels) = LEVELS_RUN.split_last().unwrap();
        for level in levels {
            self.level(recorder, level);
        }
        begins(recorder, last);
        recorder.cut(copy(&last.level)).unwrap();
        self.stands(recorder, true);
        let leftover = last.requests.iter().take(2).cloned();
        let leftover = leftover.map(|one| LoadEvent::Ended(Box::new(one)));
        recorder.leftover(&leftover.collect::<Vec<_>>());
    }

    fn level(&mut self, recorder: &mut Recorder<'_>, held: &Held) {
        begins(recorder, held);
        self.stands(recorder, self.moments.last().unwrap().is_in_run_file);
        recorder.finished(copy(&held.level)).unwrap();
        self.stands(recorder, true);
    }

    /// What the recorder has stands on the disk, unless the disk takes no more.
    fn stands(&mut self, recorder: &Recorder<'_>, is_in_run_file: bool) {
        if recorder.go() == Go::On {
            self.has(Some(&recorder.run), is_in_run_file);
        }
    }

    fn has(&mut self, run: Option<&Run>, is_in_run_file: bool) {
        self.moments.push(Moment {
            ops: self.disk.ops(),
            run: run.cloned(),
            is_in_run_file,
        });
    }
}

/// A level begins, and its requests end, two at a time.
fn begins(recorder: &mut Recorder<'_>, held: &Held) {
    let at = Offset::from_secs_f64(held.level.summary.started_s);
    let plan = tests::level_plan(held.level.summary.index);
    recorder.started(&plan, at).unwrap();
    let level = Level::start(plan, Slo(Vec::new()), at, Vec::new());
    for ended in held.requests.chunks(2) {
        let _ = recorder.progress(&Progress {
            level: &level,
            now: at,
            ended,
        });
    }
}

fn copy(level: &FinishedLevel) -> FinishedLevel {
    FinishedLevel {
        summary: level.summary.clone(),
        records: level.records.clone(),
        in_flight: level.in_flight.clone(),
        samples: level.samples.clone(),
    }
}

/// The end of a run that was interrupted.
fn end_of(run: &Run) -> RunEvent {
    let search = run.plan.search().unwrap().config(&run.plan);
    let verdict = Search::new(search).interrupted(Duration::from_secs(1));
    RunEvent::RunFinished {
        state: RunState::Partial,
        verdict: Box::new(verdict),
        tiers: Vec::new(),
    }
}
