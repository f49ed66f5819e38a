//! Files that outlive the process and the power: what is written is on the disk before anything is
//! written that relies on it.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use plimsoll_core::quote::visible_json;
use serde::Serialize;

use super::disk::{Disk, DiskFile};

/// The sum of lines: CRC-32 (IEEE 802.3), of each line with its end, be that written or torn off.
#[derive(Debug, Default)]
pub(super) struct LinesSum(crc32fast::Hasher);

impl LinesSum {
    /// Takes the next line, without its end.
    pub(super) fn take(&mut self, line: &[u8]) {
        self.0.update(line);
        self.0.update(b"\n");
    }

    /// The sum of the lines so far; the next are summed anew.
    pub(super) fn end(&mut self) -> u32 {
        std::mem::take(&mut self.0).finalize()
    }
}

/// Lines of JSON that are added to a file. It stays open until they are synced: an error that the
/// system meets meanwhile is told to those who have it open.
pub(super) struct Lines {
    file: BufWriter<Box<dyn DiskFile>>,
    sum: LinesSum,
}

impl Lines {
    /// Opens a file to add to it, whose name is on the disk then. That of a file which a killed run
    /// left comes there with the folder's next file: who goes on writes `run.json` first.
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let is_new = !path.exists();
        let file = disk.append_to(path)?;
        if is_new {
            disk.sync_folder(folder_of(path))?;
        }
        Ok(Self {
            file: BufWriter::new(file),
            sum: LinesSum::default(),
        })
    }

    /// Adds lines. They may be torn or lost until they are synced.
    pub(super) fn add<T: Serialize>(&mut self, items: impl Iterator<Item = T>) -> io::Result<()> {
        for item in items {
            let text = serde_json::to_string(&item)?;
            let line = visible_json(&text);
            self.sum.take(line.as_bytes());
            writeln!(self.file, "{line}")?;
        }
        self.file.flush()
    }

    /// Returns the sum of the lines that were added, when they are on the disk.
    pub(super) fn sync(&mut self) -> io::Result<u32> {
        self.file.get_mut().sync()?;
        Ok(self.sum.end())
    }
}

/// Adds lines of JSON to a file; they are on the disk when this returns.
pub(super) fn append<T: Serialize>(
    disk: &dyn Disk,
    path: &Path,
    items: impl Iterator<Item = T>,
) -> io::Result<()> {
    let mut lines = Lines::open(disk, path)?;
    lines.add(items)?;
    lines.sync().map(drop)
}

/// Writes a file anew: after a crash there is the old one or the new one.
pub(super) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = Path::new(&beside);
    // What was left of a run that was killed, or a link that somebody put there.
    match disk.remove(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = disk.create(beside)?;
    file.write_all(bytes)?;
    file.sync()?;
    disk.rename(beside, path)?;
    disk.sync_folder(folder_of(path))
}

/// The part of a file that counts; what is behind it is cut off before anything is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) bytes: u64,
    /// The last line is whole but for its end.
    pub(super) lacks_newline: bool,
}

/// Cuts a file to what counts of it.
pub(super) fn cut(disk: &dyn Disk, path: &Path, whole: Whole) -> io::Result<()> {
    let mut file = disk.append_to(path)?;
    if fs::metadata(path)?.len() != whole.bytes {
        file.cut(whole.bytes)?;
    }
    if whole.lacks_newline {
        file.write_all(b"\n")?;
    }
    file.sync()
}

/// Makes a folder, and those that it is in. Each is on the disk before there is another in it.
pub(super) fn create_folders(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    create_folders(disk, folder_of(path))?;
    match disk.create_folder(path) {
        // Where it is there, another run has made it meanwhile.
        Err(error) if !path.is_dir() => Err(error),
        _ => disk.sync_folder(folder_of(path)),
    }
}

/// Makes a folder in one that exists, and returns when it is on the disk.
pub(super) fn create_folder(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    disk.create_folder(path)?;
    disk.sync_folder(folder_of(path))
}

/// The folder in which a file has its name: that is data of the folder.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
