//! No files of a run make the reader of run folders panic, and a run that it takes balances: the log,
//! and behind a line of dashes the requests.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// In memory where the machine has a folder there.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = place.join(format!("plimsoll-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let _ = plimsoll::fuzz::run_folder(&FOLDER, bytes);
});
