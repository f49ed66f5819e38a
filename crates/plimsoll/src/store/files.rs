//! Files that outlive the process and the power: what is written is on the disk before anything is
//! written that relies on it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use plimsoll_core::quote::visible_json;
use serde::Serialize;

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

/// Opens a file of this folder to append to it, and no file elsewhere that a link leads to.
fn own() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).custom_flags(OFlag::O_NOFOLLOW.bits());
    options
}

/// Adds lines of JSON to a file; they are on the disk when this returns.
pub(super) fn append<T: Serialize>(path: &Path, items: impl Iterator<Item = T>) -> io::Result<()> {
    add(path, items, &mut LinesSum::default())?;
    sync(path)
}

/// Adds lines of JSON to a file, and to their sum. They are on the disk after [`sync`].
pub(super) fn add<T: Serialize>(
    path: &Path,
    items: impl Iterator<Item = T>,
    sum: &mut LinesSum,
) -> io::Result<()> {
    let mut lines = BufWriter::new(own().create(true).open(path)?);
    for item in items {
        let text = serde_json::to_string(&item)?;
        let line = visible_json(&text);
        sum.take(line.as_bytes());
        writeln!(lines, "{line}")?;
    }
    lines.flush()
}

/// Brings what was added to a file onto the disk, and the file into its folder there.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    own().create(true).open(path)?.sync_data()?;
    sync_folder(path)
}

/// Writes a file anew: after a crash there is the old one or the new one.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.tmp")));
    // What was left of a run that was killed, or a link that somebody put there.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::create_new(&beside)?;
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
    let mut file = own().open(path)?;
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
