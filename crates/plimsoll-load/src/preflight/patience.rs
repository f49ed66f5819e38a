//! How long a server that is not ready is waited for.

use std::time::Duration;

/// First wait for a server that does not say how long it takes, and the longest: a model that loads
/// takes seconds to minutes.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

/// What is left of the time that a server may take until it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    left: Duration,
    next: Duration,
}

impl Patience {
    pub(super) fn new(left: Duration) -> Self {
        Self { left, next: FIRST }
    }

    /// What is left.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// How long to wait before the next request; `None` where none is worth while. A 503 passes
    /// (RFC 9110 §15.6.4); a 429 does where it says when, and else it may be a quota that is used up.
    pub(super) fn pause(&mut self, status: u16, retry_after_s: Option<u32>) -> Option<Duration> {
        let asked = retry_after_s.map(|seconds| Duration::from_secs(u64::from(seconds)));
        let pause = match status {
            503 => asked.unwrap_or(self.next),
            429 => asked?,
            _ => return None,
        };
        // At least a moment, whatever was asked for: a server is not to be flooded.
        let pause = pause.max(FIRST);
        if pause > self.left {
            return None;
        }
        self.left -= pause;
        self.next = (self.next * 2).min(LONGEST);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(patience: &mut Patience, status: u16, asked: Option<u32>) -> Option<u64> {
        patience.pause(status, asked).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_server_that_loads_is_waited_for_ever_longer() {
        let mut patience = Patience::new(Duration::from_secs(40));
        let pauses: Vec<u64> = std::iter::from_fn(|| seconds(&mut patience, 503, None)).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 10, 10]);
        assert_eq!(patience.left(), Duration::from_secs(5));
    }

    #[test]
    fn a_server_that_says_when_is_waited_for_as_long() {
        let mut patience = Patience::new(Duration::from_secs(60));
        assert_eq!(seconds(&mut patience, 429, Some(20)), Some(20));
        assert_eq!(seconds(&mut patience, 503, Some(0)), Some(1));
        assert_eq!(seconds(&mut patience, 429, None), None);
        assert_eq!(seconds(&mut patience, 429, Some(40)), None, "39 s are left");
        assert_eq!(seconds(&mut patience, 500, Some(1)), None);
        let mut none = Patience::new(Duration::ZERO);
        assert_eq!(seconds(&mut none, 503, Some(1)), None);
    }
}
