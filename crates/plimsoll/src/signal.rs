//! Ctrl-C: asked for once it ends the run cleanly, asked for twice it ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the user wants to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Starts to watch for the signals. Where they cannot be caught they end the program, as usual.
pub(crate) fn watch() -> Stop {
    let stop = Stop::default();
    for signal in [SIGINT, SIGTERM] {
        // Order matters: the second signal must find the flag already set by the first.
        drop(flag::register_conditional_shutdown(
            signal,
            130,
            Arc::clone(&stop.0),
        ));
        drop(flag::register(signal, Arc::clone(&stop.0)));
    }
    stop
}

impl Stop {
    /// Blocks until the user wants to stop.
    pub(crate) fn wait(&self) {
        // Signals wake this thread at once on Linux; the time-out covers a signal that came
        // between the check and the park.
        while !self.is_set() {
            std::thread::park_timeout(std::time::Duration::from_millis(200));
        }
    }
}
