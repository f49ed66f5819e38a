//! What comes after the last word of an answer: the end of its framing, for which a connection that
//! is to be used again has to wait. Some servers and gateways never send it.

use std::cell::Cell;
use std::time::Duration;

/// How long the end is waited for: what a busy server takes from one write to the next.
const PATIENCE: Duration = Duration::from_millis(100);
/// A server that left it out so often in a row leaves it out, and is not waited for …
const MOST_MISSED: u32 = 3;
/// … but for one answer in so many, lest a server that was only slow is taken for such a one.
const LOOK_AGAIN: u32 = 64;

/// Whether a server ends its answers, by the latest of them.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    missed: Cell<u32>,
}

impl Tails {
    /// How long to wait for the end of an answer that has said all.
    pub(super) fn patience(&self) -> Duration {
        let missed = self.missed.get();
        if missed < MOST_MISSED || missed.is_multiple_of(LOOK_AGAIN) {
            PATIENCE
        } else {
            Duration::ZERO
        }
    }

    /// Notes whether the end came.
    pub(super) fn note(&self, came: bool) {
        let missed = if came {
            0
        } else {
            self.missed.get().wrapping_add(1)
        };
        self.missed.set(missed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_ends_its_answers_is_hardly_waited_for() {
        let tails = Tails::default();
        let mut waited = 0;
        for _ in 0..200 {
            waited += u32::from(tails.patience() > Duration::ZERO);
            tails.note(false);
        }
        assert_eq!(waited, 3 + 3, "three times, then one in 64");
        tails.note(true);
        assert_eq!(tails.patience(), PATIENCE);
    }
}
