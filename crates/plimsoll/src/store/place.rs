//! Where a run is written: a folder of its own, which nobody else writes into meanwhile.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::files::{create_folder, create_folders};
use super::{EVENTS, Folder, FolderFault, REPEATS, REQUESTS, RUN, SIGNALS};
use crate::fault::{Failure, Hint};

/// Below the directory that the command runs in.
const RUNS: &str = "plimsoll-runs";
/// Runs that may begin in the same second.
const MOST_AT_ONCE: u32 = 1_000;

/// A new folder, named by the time and the command. Where others begin in the same second each has
/// its own: `-2`, `-3` … follow the name.
pub(super) fn new(
    disk: Box<dyn Disk>,
    started: jiff::Timestamp,
    command: &str,
) -> Result<Folder, Failure> {
    new_below(disk, Path::new(RUNS), started, command)
}

pub(super) fn new_below(
    disk: Box<dyn Disk>,
    runs: &Path,
    started: jiff::Timestamp,
    command: &str,
) -> Result<Folder, Failure> {
    let time = started.strftime("%Y%m%dT%H%M%SZ");
    let first = runs.join(format!("{time}-{command}"));
    create_folders(disk.as_ref(), runs).map_err(|error| unwritable(&first, error))?;
    let others = (2..=MOST_AT_ONCE).map(|number| runs.join(format!("{time}-{command}-{number}")));
    for path in std::iter::once(first.clone()).chain(others) {
        match create_folder(disk.as_ref(), &path) {
            Ok(()) => return claim(disk, path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(&path, error)),
        }
    }
    Err(taken(&first))
}

/// The folder that was given, which need not exist.
pub(super) fn take(disk: Box<dyn Disk>, path: &Path) -> Result<Folder, Failure> {
    create_folders(disk.as_ref(), path).map_err(|error| unwritable(path, error))?;
    claim(disk, path.to_owned())
}

/// The folder of a run of the past.
pub(super) fn go_on(disk: Box<dyn Disk>, path: &Path) -> Result<Folder, Failure> {
    let going_on = || Failure::from(FolderFault::GoingOn(path.to_owned()));
    lock(disk, path.to_owned()).ok_or_else(going_on)
}

/// Files of which one alone shows that a folder has a run in it, or what is left of one: what would be
/// appended to must not be there. Until version 2 a check was kept apart.
const OF_A_RUN: [&str; 6] = [RUN, EVENTS, REPEATS, REQUESTS, SIGNALS, "check.json"];

/// Takes a folder that exists for a run that begins. It is locked before it is looked at, so that
/// of two runs that look one gives way.
fn claim(disk: Box<dyn Disk>, path: PathBuf) -> Result<Folder, Failure> {
    let shown = path.clone();
    let folder = lock(disk, path)
        .ok_or_else(|| Failure::from(FolderFault::BeingWritten(shown)).hint(Hint::OtherFolder))?;
    let has = |name: &&str| folder.path.join(name).exists();
    if OF_A_RUN.iter().any(has) {
        return Err(taken(&folder.path));
    }
    probe(&folder).map_err(|error| unwritable(&folder.path, error))?;
    Ok(folder)
}

/// Whether files can be written in a folder.
fn probe(folder: &Folder) -> io::Result<()> {
    let probe = folder.path.join(".writable");
    folder.disk.append_to(&probe)?;
    folder.disk.remove(&probe)?;
    folder.disk.sync_folder(&folder.path)
}

/// `None` where another process holds it. Where the file system knows no locks it goes without.
fn lock(disk: Box<dyn Disk>, path: PathBuf) -> Option<Folder> {
    let lock = match File::open(&path) {
        Ok(folder) => match folder.try_lock() {
            Err(TryLockError::WouldBlock) => return None,
            _ => Some(folder),
        },
        Err(_) => None,
    };
    Some(Folder {
        path,
        disk,
        _lock: lock,
    })
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
    use std::fs;

    use super::super::disk::Os;
    use super::*;

    const AT: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

    #[test]
    fn runs_of_the_same_second_have_folders_of_their_own() {
        let runs = tempfile::tempdir().unwrap();
        let begin = || new_below(Box::new(Os), runs.path(), AT, "find").unwrap();
        let folders: Vec<Folder> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let names = folders.iter().map(|one| one.path.file_name().unwrap());
        let found: BTreeSet<String> = names.map(|one| one.to_str().unwrap().to_owned()).collect();
        let others = (2..=8).map(|number| format!("19700101T000000Z-find-{number}"));
        let expected = others.chain(["19700101T000000Z-find".to_owned()]).collect();
        assert_eq!(found, expected);
        let check = new_below(Box::new(Os), runs.path(), AT, "check").unwrap();
        assert!(check.path.ends_with("19700101T000000Z-check"));
    }

    #[test]
    fn what_is_left_of_a_run_is_not_appended_to() {
        for name in OF_A_RUN {
            let place = tempfile::tempdir().unwrap();
            fs::write(place.path().join(name), "{}").unwrap();
            let text = take(Box::new(Os), place.path()).err().unwrap().to_string();
            assert!(text.contains("has a run in it"), "{name}: {text}");
        }
    }

    #[test]
    fn a_folder_that_is_being_written_is_refused_with_the_way_out() {
        let place = tempfile::tempdir().unwrap();
        let first = take(Box::new(Os), place.path()).unwrap();
        let refused = |second: Result<Folder, Failure>| second.err().unwrap().to_string();
        let text = refused(take(Box::new(Os), place.path()));
        assert!(text.contains("another run is being written"), "{text}");
        assert!(text.contains("--out"), "{text}");
        drop(first);
        let _third = take(Box::new(Os), place.path()).unwrap();
        assert!(refused(go_on(Box::new(Os), place.path())).contains("still going on"));
    }

    #[test]
    fn a_folder_with_a_run_in_it_is_refused() {
        for name in [RUN, EVENTS, REPEATS] {
            let place = tempfile::tempdir().unwrap();
            fs::write(place.path().join(name), "").unwrap();
            let text = take(Box::new(Os), place.path()).err().unwrap().to_string();
            assert!(text.contains("has a run in it"), "{name}: {text}");
        }
    }
}
