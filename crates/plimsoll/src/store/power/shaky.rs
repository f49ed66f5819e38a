//! A disk that writes down what is done to it, does it, and fails where it is told to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use nix::errno::Errno;

use super::super::disk::{Disk, DiskFile, Os};
use super::platter::{Luck, Op, Platter};

/// What goes wrong, and at which operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    /// This operation fails, and none else.
    Broken(usize),
    /// From here on nothing has a place, but for half of what is written just then.
    Full(usize),
    /// The process is killed: nothing is done any more.
    Killed(usize),
}

/// A disk below a folder; its clones are the same disk.
#[derive(Clone)]
pub(super) struct Shaky(Arc<Mutex<Journal>>);

struct Journal {
    root: PathBuf,
    first: Platter,
    numbers: BTreeMap<PathBuf, usize>,
    files: usize,
    ops: Vec<Op>,
    /// Operations that were tried.
    tried: usize,
    trouble: Option<Trouble>,
}

impl Shaky {
    /// A disk with what is in a folder, all of it synced.
    pub(super) fn below(root: &Path, trouble: Option<Trouble>) -> Self {
        let first = Platter::of(root);
        let numbers = first.numbers();
        Self(Arc::new(Mutex::new(Journal {
            root: root.to_owned(),
            files: numbers.len(),
            first,
            numbers,
            ops: Vec::new(),
            tried: 0,
            trouble,
        })))
    }

    /// Operations so far.
    pub(super) fn ops(&self) -> usize {
        self.journal().ops.len()
    }

    /// Operations that were tried so far, each of which may fail.
    pub(super) fn tried(&self) -> usize {
        self.journal().tried
    }

    /// Lets nothing go wrong from here on.
    pub(super) fn mend(&self) {
        self.journal().trouble = None;
    }

    /// Whether the system lost what it had to write, which a later sync does not tell.
    pub(super) fn has_lied(&self) -> bool {
        let ops = &self.journal().ops;
        ops.iter().any(|op| matches!(op, Op::NotSynced(_)))
    }

    /// Puts into a folder what is left of this one after so many operations and a power loss.
    pub(super) fn lose_power(&self, ops: usize, mut luck: Luck, to: &Path) {
        let journal = self.journal();
        let mut platter = journal.first.clone();
        for op in &journal.ops[..ops] {
            platter.take(op, &mut luck);
        }
        platter.lose_power(&mut luck).write(&journal.root, to);
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap()
    }

    fn open(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let number = self.journal().number(path);
        let disk = self.clone();
        Box::new(ShakyFile { disk, number, file })
    }
}

impl Journal {
    /// Carries out an operation, unless it is to fail.
    fn carry_out<T>(&mut self, op: Op, done: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if let Some(error) = self.fails(&op) {
            if let (Errno::EIO, Op::Synced(number)) = (error, op) {
                self.ops.push(Op::NotSynced(number));
            }
            self.tried += 1;
            return Err(error.into());
        }
        self.tried += 1;
        let done = done()?;
        self.ops.push(op);
        Ok(done)
    }

    fn fails(&self, op: &Op) -> Option<Errno> {
        let now = self.tried;
        match (self.trouble?, op) {
            (Trouble::Broken(at), _) if at == now => Some(Errno::EIO),
            (Trouble::Killed(at), _) if at <= now => Some(Errno::EBADF),
            (Trouble::Full(at), Op::Written(..)) if at < now => Some(Errno::ENOSPC),
            (Trouble::Full(at), Op::Created(..) | Op::FolderCreated(_) | Op::Renamed(..))
                if at <= now =>
            {
                Some(Errno::ENOSPC)
            }
            _ => None,
        }
    }

    /// How much has a place of what is to be written now.
    fn has_place(&self, length: usize) -> usize {
        match self.trouble {
            Some(Trouble::Full(at)) if at == self.tried => length.div_ceil(2),
            _ => length,
        }
    }

    /// The number of a file; a file that has none gets the next.
    fn number(&mut self, path: &Path) -> usize {
        let number = *self.numbers.entry(path.to_owned()).or_insert(self.files);
        self.files = self.files.max(number + 1);
        number
    }
}

impl Disk for Shaky {
    fn append_to(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if path.exists() {
            return Ok(self.open(path, Os.append_to(path)?));
        }
        let op = Op::Created(path.to_owned(), self.journal().files);
        let file = self.journal().carry_out(op, || Os.append_to(path))?;
        Ok(self.open(path, file))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let op = Op::Created(path.to_owned(), self.journal().files);
        let file = self.journal().carry_out(op, || Os.create(path))?;
        Ok(self.open(path, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let op = Op::Renamed(from.to_owned(), to.to_owned());
        let mut journal = self.journal();
        journal.carry_out(op, || {
            // ext4 waits for the disk where a name is taken from another file.
            drop(fs::remove_file(to));
            Os.rename(from, to)
        })?;
        let number = journal.numbers.remove(from).unwrap();
        let _ = journal.numbers.insert(to.to_owned(), number);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let op = Op::Removed(path.to_owned());
        let mut journal = self.journal();
        journal.carry_out(op, || Os.remove(path))?;
        let _ = journal.numbers.remove(path);
        Ok(())
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let op = Op::FolderCreated(path.to_owned());
        self.journal().carry_out(op, || Os.create_folder(path))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let op = Op::FolderSynced(path.to_owned());
        self.journal().carry_out(op, || Ok(()))
    }
}

struct ShakyFile {
    disk: Shaky,
    number: usize,
    file: Box<dyn DiskFile>,
}

impl Write for ShakyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut journal = self.disk.journal();
        let bytes = &bytes[..journal.has_place(bytes.len())];
        let op = Op::Written(self.number, bytes.to_vec());
        journal.carry_out(op, || self.file.write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for ShakyFile {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let op = Op::Cut(self.number, bytes);
        self.disk.journal().carry_out(op, || self.file.cut(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        let op = Op::Synced(self.number);
        self.disk.journal().carry_out(op, || Ok(()))
    }
}
