//! Where a run is written: a folder of its own, which nobody else writes into meanwhile.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{EVENTS, Folder, FolderFault, REPEATS, REQUESTS, RUN, SIGNALS, files};
use crate::fault::{Failure, Hint};

/// Below the directory that the command runs in.
const RUNS: &str = "plimsoll-runs";
/// Runs that may begin in the same second.
const MOST_AT_ONCE: u32 = 1_000;

/// A new folder, named by the time and the command. Where others begin in the same second each has
/// its own: `-2`, `-3` … follow the name.
pub(super) fn new(started: jiff::Timestamp, command: &str) -> Result<Folder, Failure> {
    new_below(Path::new(RUNS), started, command)
}

pub(super) fn new_below(
    runs: &Path,
    started: jiff::Timestamp,
    command: &str,
) -> Result<Folder, Failure> {
    let time = started.strftime("%Y%m%dT%H%M%SZ");
    let first = runs.join(format!("{time}-{command}"));
    fs::create_dir_all(runs).map_err(|error| unwritable(&first, error))?;
    let others = (2..=MOST_AT_ONCE).map(|number| runs.join(format!("{time}-{command}-{number}")));
    for path in std::iter::once(first.clone()).chain(others) {
        match fs::create_dir(&path) {
            Ok(()) => return claim(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&path, error)),
        }
    }
    Err(taken(&first))
}

/// The folder that was given, which need not exist.
pub(super) fn take(path: &Path) -> Result<Folder, Failure> {
    fs::create_dir_all(path).map_err(|error| unwritable(path, error))?;
    claim(path.to_owned())
}

/// The folder of a run of the past.
pub(super) fn go_on(path: &Path) -> Result<Folder, Failure> {
    let going_on = || Failure::from(FolderFault::GoingOn(path.to_owned()));
    lock(path.to_owned()).ok_or_else(going_on)
}

/// Files of which one alone shows that a folder has a run in it, or what is left of one: what would be
/// appended to must not be there. Until version 2 a check was kept apart.
const OF_A_RUN: [&str; 6] = [RUN, EVENTS, REPEATS, REQUESTS, SIGNALS, "check.json"];

/// Takes a folder that exists for a run that begins. It is locked before it is looked at, so that
/// of two runs that look one gives way.
fn claim(path: PathBuf) -> Result<Folder, Failure> {
    let shown = path.clone();
    let folder = lock(path)
        .ok_or_else(|| Failure::from(FolderFault::BeingWritten(shown)).hint(Hint::OtherFolder))?;
    let has = |name: &&str| folder.path.join(name).exists();
    if OF_A_RUN.iter().any(has) {
        return Err(taken(&folder.path));
    }
    let probe = folder.path.join(".writable");
    let usable = File::create(&probe)
        .map(drop)
        .and_then(|()| fs::remove_file(&probe))
        .and_then(|()| files::sync_folder(&probe));
    usable.map_err(|error| unwritable(&folder.path, error))?;
    Ok(folder)
}

/// `None` where another process holds it. Where the file system knows no locks it goes without.
fn lock(path: PathBuf) -> Option<Folder> {
    let lock = match File::open(&path) {
        Ok(folder) => match folder.try_lock() {
            Err(TryLockError::WouldBlock) => return None,
            _ => Some(folder),
        },
        Err(_) => None,
    };
    Some(Folder { path, _lock: lock })
}

fn taken(path: &Path) -> Failure {
    Failure::from(FolderFault::HasRun(path.to_owned())).hint(Hint::OtherFolderOrResume)
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    let path = path.to_owned();
    Failure::from(FolderFault::Unwritable { path, error }).hint(Hint::OtherFolder)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const AT: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

    #[test]
    fn runs_of_the_same_second_have_folders_of_their_own() {
        let runs = tempfile::tempdir().unwrap();
        let begin = || new_below(runs.path(), AT, "find").unwrap();
        let folders: Vec<Folder> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let names = folders.iter().map(|one| one.path.file_name().unwrap());
        let found: BTreeSet<String> = names.map(|one| one.to_str().unwrap().to_owned()).collect();
        let others = (2..=8).map(|number| format!("19700101T000000Z-find-{number}"));
        let expected = others.chain(["19700101T000000Z-find".to_owned()]).collect();
        assert_eq!(found, expected);
        let check = new_below(runs.path(), AT, "check").unwrap();
        assert!(check.path.ends_with("19700101T000000Z-check"));
    }

    #[test]
    fn what_is_left_of_a_run_is_not_appended_to() {
        for name in OF_A_RUN {
            let place = tempfile::tempdir().unwrap();
            std::fs::write(place.path().join(name), "{}").unwrap();
            let text = take(place.path()).err().unwrap().to_string();
            assert!(text.contains("has a run in it"), "{name}: {text}");
        }
    }

    #[test]
    fn a_folder_that_is_being_written_is_refused_with_the_way_out() {
        let place = tempfile::tempdir().unwrap();
        let first = take(place.path()).unwrap();
        let refused = |second: Result<Folder, Failure>| second.err().unwrap().to_string();
        let text = refused(take(place.path()));
        assert!(text.contains("another run is being written"), "{text}");
        assert!(text.contains("--out"), "{text}");
        drop(first);
        let _third = take(place.path()).unwrap();
        assert!(refused(go_on(place.path())).contains("still going on"));
    }

    #[test]
    fn a_folder_with_a_run_in_it_is_refused() {
        for name in [RUN, EVENTS, REPEATS] {
            let place = tempfile::tempdir().unwrap();
            fs::write(place.path().join(name), "").unwrap();
            let text = take(place.path()).err().unwrap().to_string();
            assert!(text.contains("has a run in it"), "{name}: {text}");
        }
    }
}
