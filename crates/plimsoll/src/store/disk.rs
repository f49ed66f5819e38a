//! What the store asks of the file system to write a run. Nothing is on the disk until it is synced:
//! bytes by their file, and that a file is there, or is called so, by its folder. In the tests a disk
//! stands here that fails, and that loses power.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// The operations that change a run folder.
pub(super) trait Disk: Send + Sync {
    /// Opens a file to append to it, which is created if it is missing. A link is refused: it may lead
    /// out of the folder.
    ///
    /// # Errors
    /// It is a link, or the system refuses.
    fn append_to(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a file.
    ///
    /// # Errors
    /// There is one, or the system refuses.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name in its folder, in place of a file that had it.
    ///
    /// # Errors
    /// The system refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file away.
    ///
    /// # Errors
    /// There is none, or the system refuses.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder in one that exists.
    ///
    /// # Errors
    /// Something has that name, or the system refuses.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names in a folder are on the disk.
    ///
    /// # Errors
    /// They may not be there.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// A file that is open to be written: what is written stands behind what was there.
pub(super) trait DiskFile: Write + Send {
    /// Cuts it to so many bytes.
    ///
    /// # Errors
    /// The system refuses.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;

    /// Waits until all of it is on the disk.
    ///
    /// # Errors
    /// It may not be there, and what was not will not be by another try: the system may have dropped
    /// it.
    fn sync(&mut self) -> io::Result<()>;
}

/// The file system of this machine.
pub(super) struct Os;

impl Disk for Os {
    fn append_to(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        options.custom_flags(OFlag::O_NOFOLLOW.bits());
        Ok(Box::new(options.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create_new(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
