//! A run on a disk that fails, tears and reorders at every operation. What is read back is what the run
//! was, never other numbers, and it goes on from there.

mod platter;
mod session;
mod shaky;

use std::fs;
use std::path::Path;

use plimsoll_core::run::Run;
use plimsoll_core::telemetry::Sample;
use tempfile::{TempDir, tempdir, tempdir_in};

use super::tests::Held;
use super::{REQUESTS, RUN, SIGNALS, Saved, read_run};
use platter::Luck;
use session::{LEVELS_RUN, Moment, Session, folder_in};
use shaky::{Shaky, Trouble};

/// Power losses at each operation, besides those that leave nothing, everything, and nearly so.
const SEEDS: u64 = 3;

/// A folder; in memory where the machine has one there, and no disk is waited for.
fn place() -> TempDir {
    tempdir_in("/dev/shm").or_else(|_| tempdir()).unwrap()
}

fn lucks(ops: usize) -> impl Iterator<Item = Luck> {
    let seeds = ops as u64 * SEEDS..(ops as u64 + 1) * SEEDS;
    let extremes = [Luck::Nothing, Luck::Everything, Luck::AllButTheLastByte];
    extremes.into_iter().chain(seeds.map(Luck::seeded))
}

/// What a run may be after so many operations: what it was when the last step was over, or what the
/// step that was under way makes of it.
struct Due<'a> {
    now: &'a Moment,
    next: Option<&'a Moment>,
    /// What it was before, also in an earlier session: `run.json` may not be newer.
    past: Vec<&'a Moment>,
}

impl<'a> Due<'a> {
    fn after(ops: usize, moments: &'a [Moment], earlier: &'a [Moment]) -> Self {
        let over = moments.partition_point(|moment| moment.ops <= ops);
        Self::step(over, moments, earlier)
    }

    /// After so many steps.
    fn step(over: usize, moments: &'a [Moment], earlier: &'a [Moment]) -> Self {
        Self {
            now: &moments[over - 1],
            next: moments.get(over),
            past: earlier.iter().chain(&moments[..over]).collect(),
        }
    }

    fn is(&self, run: &Run) -> bool {
        self.now.is(run) || self.next.is_some_and(|next| next.is(run))
    }

    fn was(&self, run: &Run) -> bool {
        self.past.iter().any(|moment| moment.is(run))
    }
}

/// Reads a run back, as what goes on with it or judges it again does, and as a report does. From a
/// disk that did not tell what it lost, `is_sure` not, nothing may come, or what the run was earlier.
fn read(folder: &Path, due: &Due<'_>, is_sure: bool, what: &str) -> Option<Saved> {
    let is_true = |run: &Run, is_due| due.is(run) || (!(is_due && is_sure) && due.was(run));
    match read_run(folder) {
        Ok(run) => assert!(is_true(&run, due.now.is_in_run_file), "{what}: {RUN}"),
        Err(why) => assert!(!(due.now.is_in_run_file && is_sure), "{what}: {why}"),
    }
    match Saved::read(folder) {
        Ok(saved) => {
            assert!(is_true(&saved.run, true), "{what}: {:#?}", saved.run);
            has_requests(&saved, what);
            Some(saved)
        }
        Err(why) => {
            assert!(!(due.now.run.is_some() && is_sure), "{what}: {why}");
            None
        }
    }
}

/// The requests of the finished levels are those that were sent.
fn has_requests(saved: &Saved, what: &str) {
    let levels = &LEVELS_RUN[..saved.levels as usize];
    if levels.is_empty() {
        return;
    }
    let mut requests = saved.requests().unwrap();
    for (Held { level, .. }, in_flight) in levels.iter().zip(&saved.in_flight) {
        let records = requests.level(&level.summary, false).unwrap();
        assert_eq!(records, level.records, "{what}");
        assert_eq!(in_flight, &level.in_flight, "{what}");
    }
}

/// A run that went on has all of its levels, each once, and nothing else in its files.
fn is_whole(folder: &Path, what: &str) {
    let saved = Saved::read(folder).unwrap();
    assert_eq!(saved.levels as usize, LEVELS_RUN.len(), "{what}");
    let levels = LEVELS_RUN.iter().map(|held| &held.level.summary);
    assert!(saved.run.levels.iter().eq(levels), "{what}");
    has_requests(&saved, what);
    let lines = |name| fs::read_to_string(folder.join(name)).unwrap();
    let requests = LEVELS_RUN.iter().map(|held| held.requests.len());
    assert_eq!(lines(REQUESTS).lines().count(), requests.sum::<usize>());
    let samples = lines(SIGNALS);
    let samples = samples
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let samples: Vec<Sample> = samples.collect();
    let due = LEVELS_RUN.iter().flat_map(|held| &held.level.samples);
    assert!(samples.iter().eq(due), "{what}");
}

/// The power goes after so many operations, and this is left.
fn lose_power(disk: &Shaky, ops: usize, luck: Luck) -> TempDir {
    let left = place();
    disk.lose_power(ops, luck, left.path());
    left
}

/// A run of an earlier session goes on, and the power goes again, at an operation that differs from
/// time to time.
fn goes_on(root: &Path, disk: Shaky, earlier: &[Moment], (time, luck): (usize, Luck), what: &str) {
    let first = disk.ops();
    let session = Session::again(root, disk);
    is_whole(&folder_in(root), what);
    let ops = first + time % (session.disk.ops() - first + 1);
    let what = format!("{what}, again after {ops}");
    let left = lose_power(&session.disk, ops, luck);
    let due = Due::after(ops, &session.moments, earlier);
    let is_sure = !session.disk.has_lied();
    drop(read(&folder_in(left.path()), &due, is_sure, &what));
}

/// The power goes after each operation of a run.
fn loses_power(Session { disk, moments }: &Session, ops: impl Iterator<Item = usize>) {
    for ops in ops {
        for (seed, luck) in lucks(ops).enumerate() {
            let what = format!("{ops}, luck {seed}");
            let left = lose_power(disk, ops, luck.clone());
            let due = Due::after(ops, moments, &[]);
            if read(&folder_in(left.path()), &due, true, &what).is_some() {
                let disk = Shaky::below(left.path(), None);
                goes_on(left.path(), disk, moments, (ops * 7 + seed, luck), &what);
            }
        }
    }
}

#[test]
fn after_a_power_loss_at_any_operation_a_run_is_what_it_was_and_goes_on() {
    let root = place();
    let session = Session::ended(root.path());
    let last = &session.moments[session.moments.len() - 2..];
    // The log relies on no picture, so not every one is looked at.
    let pictures = last[0].ops + 4..last[1].ops - 8;
    let ops = (0..=last[1].ops).filter(|ops| !pictures.contains(ops) || ops % 5 == 0);
    loses_power(&session, ops);
}

/// Each of its operations fails once, or is the last that has a place, or that the process lives to
/// see.
#[test]
fn a_run_whose_disk_fails_at_any_operation_is_what_it_was_and_goes_on() {
    let root = place();
    let whole = Session::recorded(root.path(), None);
    let kinds = [Trouble::Broken, Trouble::Full, Trouble::Killed];
    for trouble in (0..whole.disk.tried()).flat_map(|at| kinds.map(|kind| kind(at))) {
        let what = format!("{trouble:?}");
        let root = place();
        let Session { disk, moments } = Session::recorded(root.path(), Some(trouble));
        let mut are_due = moments.iter().zip(&whole.moments);
        assert!(are_due.all(|(has, due)| has.run == due.run), "{what}");
        let due = Due::step(moments.len(), &whole.moments, &[]);
        // In the memory of the system it is whole, whatever the disk has of it.
        if read(&folder_in(root.path()), &due, true, &what).is_some() {
            disk.mend();
            let time = disk.tried();
            let luck = Luck::seeded(time as u64);
            goes_on(root.path(), disk, &whole.moments, (time, luck), &what);
        }
    }
}
