//! What is on the disk after the power went: what was synced, and of the rest whatever luck left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// The size in which bytes get onto the disk, whole or not at all. Less than any disk's, so that a
/// line lies in several.
const SECTOR: usize = 64;

/// An operation on the folder of a run, in the order of the program. Files are numbered.
#[derive(Clone, Debug)]
pub(super) enum Op {
    FolderCreated(PathBuf),
    Created(PathBuf, usize),
    Written(usize, Vec<u8>),
    Cut(usize, u64),
    Synced(usize),
    /// The system could not write what it had, and told that once: it now takes it for written.
    NotSynced(usize),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
    FolderSynced(PathBuf),
}

/// What is left of what was not synced.
#[derive(Clone)]
pub(super) enum Luck {
    Nothing,
    Everything,
    /// Of each file: a last line that lacks its end is whole.
    AllButTheLastByte,
    Some(Box<Xoshiro256PlusPlus>),
}

impl Luck {
    pub(super) fn seeded(seed: u64) -> Self {
        Self::Some(Box::new(Xoshiro256PlusPlus::seed_from_u64(seed)))
    }

    fn keeps(&mut self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything | Self::AllButTheLastByte => true,
            Self::Some(random) => random.random(),
        }
    }

    /// How many bytes are there of so many that were written.
    fn of(&mut self, written: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Everything => written,
            Self::AllButTheLastByte => written - 1,
            Self::Some(random) => {
                let torn = random.random_range(0..=written);
                if random.random() { written } else { torn }
            }
        }
    }
}

/// A file: what is on the disk of it, and what has been done to it since.
#[derive(Clone, Debug, Default)]
struct Synced {
    bytes: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Written(Vec<u8>),
    Cut(u64),
}

/// A name in a folder: a file by its number, or a folder.
type Name = Option<usize>;

/// The disk below the memory of the system.
#[derive(Clone, Debug, Default)]
pub(super) struct Platter {
    files: Vec<Synced>,
    names: BTreeMap<PathBuf, Name>,
    /// A name that came or, as `None`, went since its folder was synced. Whatever order these reach the
    /// disk in, a rename is one of them.
    since: Vec<Vec<(PathBuf, Option<Name>)>>,
}

impl Platter {
    /// A folder with all that is in it.
    pub(super) fn of(root: &Path) -> Self {
        let mut platter = Self::default();
        platter.take_in(root);
        platter
    }

    fn take_in(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.names.insert(path.clone(), None);
                self.take_in(&path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            self.names.insert(path, Some(self.files.len()));
            self.files.push(Synced {
                bytes,
                since: Vec::new(),
            });
        }
    }

    /// The numbers of the files by their names.
    pub(super) fn numbers(&self) -> BTreeMap<PathBuf, usize> {
        let files = self.names.iter();
        files
            .filter_map(|(path, name)| Some((path.clone(), (*name)?)))
            .collect()
    }

    pub(super) fn take(&mut self, op: &Op, luck: &mut Luck) {
        match op {
            Op::FolderCreated(path) => self.since.push(vec![(path.clone(), Some(None))]),
            Op::Created(path, number) => {
                self.files.resize_with(number + 1, Synced::default);
                self.since.push(vec![(path.clone(), Some(Some(*number)))]);
            }
            Op::Written(number, bytes) => {
                let since = &mut self.files[*number].since;
                since.push(Change::Written(bytes.clone()));
            }
            Op::Cut(number, length) => self.files[*number].since.push(Change::Cut(*length)),
            Op::Synced(number) => self.files[*number].settle(&mut Luck::Everything),
            Op::NotSynced(number) => self.files[*number].lose(luck),
            Op::Renamed(from, to) => {
                let name = self.name_now(from);
                self.since
                    .push(vec![(from.clone(), None), (to.clone(), Some(name))]);
            }
            Op::Removed(path) => self.since.push(vec![(path.clone(), None)]),
            Op::FolderSynced(folder) => self.settle(Some(folder), &mut Luck::Everything),
        }
    }

    /// What a power loss leaves.
    pub(super) fn lose_power(mut self, luck: &mut Luck) -> Self {
        self.settle(None, luck);
        self.files.iter_mut().for_each(|file| file.settle(luck));
        self
    }

    /// Puts it into another folder than the one that it was in.
    pub(super) fn write(&self, from: &Path, to: &Path) {
        for (path, name) in &self.names {
            let path = to.join(path.strip_prefix(from).unwrap());
            // A folder that is lost takes with it what was in it.
            if path.parent().unwrap().is_dir() {
                match name {
                    Some(number) => fs::write(path, &self.files[*number].bytes).unwrap(),
                    None => fs::create_dir(path).unwrap(),
                }
            }
        }
    }

    /// What a name stands for in the memory of the system.
    fn name_now(&self, path: &Path) -> Name {
        let changed = self.since.iter().flatten().rev();
        let changed = changed.filter(|(name, _)| name == path);
        let now = changed.map(|(_, now)| *now).next();
        now.unwrap_or_else(|| self.names.get(path).copied())
            .unwrap()
    }

    /// Brings onto the disk what luck lets of the names of a folder, or of all.
    fn settle(&mut self, folder: Option<&Path>, luck: &mut Luck) {
        for names in std::mem::take(&mut self.since) {
            let is_of = folder.is_none_or(|folder| names[0].0.parent() == Some(folder));
            if !is_of {
                self.since.push(names);
            } else if luck.keeps() {
                for (path, name) in names {
                    match name {
                        Some(name) => drop(self.names.insert(path, name)),
                        None => drop(self.names.remove(&path)),
                    }
                }
            }
        }
    }
}

impl Synced {
    /// Brings onto the disk what luck lets. A length follows the order of the program; the bytes below
    /// it need not be there yet, and are zeros then.
    fn settle(&mut self, luck: &mut Luck) {
        for change in std::mem::take(&mut self.since) {
            match change {
                Change::Cut(length) if luck.keeps() => self.bytes.truncate(length as usize),
                Change::Cut(_) => break,
                Change::Written(bytes) => {
                    let length = luck.of(bytes.len());
                    let start = self.bytes.len();
                    self.bytes.extend(&bytes[..length]);
                    if !luck.keeps() {
                        self.leave_holes(start, luck);
                    }
                    if length < bytes.len() {
                        break;
                    }
                }
            }
        }
        self.since.clear();
    }

    /// The lengths stay, the bytes may not.
    fn lose(&mut self, luck: &mut Luck) {
        let start = self.bytes.len();
        self.settle(&mut Luck::Everything);
        self.leave_holes(start.min(self.bytes.len()), luck);
    }

    fn leave_holes(&mut self, start: usize, luck: &mut Luck) {
        let sectors = start / SECTOR..self.bytes.len().div_ceil(SECTOR);
        for sector in sectors.filter(|_| !luck.keeps()).collect::<Vec<_>>() {
            let end = (sector + 1) * SECTOR;
            let end = end.min(self.bytes.len());
            self.bytes[start.max(sector * SECTOR)..end].fill(0);
        }
    }
}
