//! Files that outlive the process and the power: what is written is on the disk before anything is
//! written that relies on it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

/// Adds lines of JSON to a file, and returns when they are on the disk.
pub(super) fn append<T: Serialize>(path: &Path, items: impl Iterator<Item = T>) -> io::Result<()> {
    let is_new = !path.exists();
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let mut lines = BufWriter::new(&file);
    for item in items {
        serde_json::to_writer(&mut lines, &item)?;
        lines.write_all(b"\n")?;
    }
    lines.flush()?;
    drop(lines);
    file.sync_data()?;
    if is_new { sync_folder(path) } else { Ok(()) }
}

/// Writes a file anew: after a crash there is the old one or the new one.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.tmp")));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    sync_folder(&path)
}

/// The part of a file that counts; what is behind it is cut off before anything is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) bytes: u64,
    /// The last line is whole but for its end.
    pub(super) lacks_newline: bool,
}

/// Cuts a file to what counts of it.
pub(super) fn cut(path: &Path, whole: Whole) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    if file.metadata()?.len() != whole.bytes {
        file.set_len(whole.bytes)?;
    }
    if whole.lacks_newline {
        file.write_all(b"\n")?;
    }
    file.sync_all()
}

/// The entry of a file in its folder is data of the folder.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
