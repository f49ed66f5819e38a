//! The machine that drives the load.

use plimsoll_core::run::Environment;
use plimsoll_load::stamps::kernel_stamps;

use crate::machine::raise_open_files;

/// CPUs that this process may use.
pub(super) fn cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

/// Describes the machine, after raising the limit of open files as far as it goes.
pub(super) fn describe(workers: u32) -> Environment {
    Environment {
        plimsoll_version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        cpus: cpus(),
        open_files_limit: raise_open_files(),
        receive_stamps: if kernel_stamps() { "kernel" } else { "user" }.to_owned(),
        workers,
    }
}
