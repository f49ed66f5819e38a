//! Ctrl-C and the like: asked for once it ends the run cleanly, asked for twice it ends the program. Either way the
//! program dies of the signal: a shell ends its loop only where it sees that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::{flag, low_level};

/// Whether the user wants to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    is_set: Arc<AtomicBool>,
    /// The signal that said so; 0 for none.
    signal: Arc<AtomicUsize>,
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Blocks until the user wants to stop.
    pub(crate) fn wait(&self) {
        // Signals wake this thread at once on Linux; the time-out covers a signal that came
        // between the check and the park.
        while !self.is_set() {
            std::thread::park_timeout(std::time::Duration::from_millis(200));
        }
    }

    /// Ends the program by the signal that asked for it, as if it had not been caught; to be called when
    /// all is written. Returns the exit code that says the same where that is not possible, and `None`
    /// where no signal came.
    pub(crate) fn die(&self) -> Option<i32> {
        let signal = i32::try_from(self.signal.load(Ordering::Relaxed)).ok()?;
        if signal == 0 {
            return None;
        }
        // The first process of a container is not ended by signals that it does not catch.
        if std::process::id() != 1 {
            drop(low_level::emulate_default_handler(signal));
        }
        Some(128 + signal)
    }
}

/// Whether `nohup` or a shell has asked that the end of the terminal be no end of the program.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// Starts to watch for the signals. Where they cannot be caught they end the program, as usual.
pub(crate) fn watch() -> Stop {
    let stop = Stop::default();
    // A file that may grow no more is an error of its write, and not the end of the program.
    drop(flag::register(SIGXFSZ, Arc::default()));
    let hang_up = (!ignores_hang_up()).then_some(SIGHUP);
    for signal in [SIGINT, SIGTERM].into_iter().chain(hang_up) {
        // Order matters: the second signal must find the flag already set by the first.
        drop(flag::register_conditional_default(
            signal,
            Arc::clone(&stop.is_set),
        ));
        drop(flag::register_usize(
            signal,
            Arc::clone(&stop.signal),
            usize::try_from(signal).unwrap_or(0),
        ));
        drop(flag::register(signal, Arc::clone(&stop.is_set)));
    }
    stop
}
