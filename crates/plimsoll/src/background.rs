//! Work that may wait long for a server, and a user who may want to stop meanwhile.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, anyhow};

/// How often the wait looks whether the user wants to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Does `work` on a thread of its own. `None` if `is_stopped` before it is done: it is then left
/// behind, and ends with the program.
pub(crate) fn unless_stopped<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    is_stopped: impl Fn() -> bool,
) -> anyhow::Result<Option<T>> {
    let (tell, done) = channel();
    let _thread = std::thread::Builder::new()
        // Nobody listens any more if it was left behind.
        .spawn(move || drop(tell.send(work())))
        .context("a thread cannot be started")?;
    loop {
        match done.recv_timeout(LOOK) {
            Ok(found) => return Ok(Some(found)),
            Err(RecvTimeoutError::Timeout) if is_stopped() => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("a thread broke off")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_had_and_what_is_not_is_left_behind() {
        let done = unless_stopped(|| 7, || false).unwrap();
        assert_eq!(done, Some(7));
        let (keep_waiting, never) = channel::<()>();
        let left = unless_stopped(move || never.recv(), || true).unwrap();
        assert_eq!(left, None);
        drop(keep_waiting);
    }
}
