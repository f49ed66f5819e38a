//! One answer on its way: how far it is, and its account.

use super::ask::Ask;
use super::schedule::Pace;

/// An answer between the receipt of its request and its last byte.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) ask: Ask,
    /// The client's name for the request.
    pub(super) id: Option<Box<str>>,
    /// When the last byte of the request came, in ns.
    pub(super) received_ns: u64,
    /// Resets before it was received.
    pub(super) epoch: u64,
    /// Whether the connection ends with it.
    pub(super) close: bool,
    /// Tokens handed over so far.
    pub(super) sent: u32,
    /// When the first token was handed over, in ns; `None` before that and if not streamed.
    pub(super) first_ns: Option<u64>,
    /// When the latest token was handed over, in ns.
    pub(super) last_ns: u64,
    pace: Pace,
    /// Gaps between successive writes − what they should be, in ns: exact up to 16 ms, and half as
    /// large as the gaps themselves, of which ten thousand streams keep millions.
    gap_errors_ns: Vec<f32>,
    /// Gaps inside of a write, which are 0.
    pub(super) zero_gaps: u32,
}

impl Answer {
    pub(super) fn new(ask: Ask, id: Option<Box<str>>, received_ns: u64, pace: Pace) -> Self {
        Self {
            ask,
            id,
            received_ns,
            epoch: 0,
            close: false,
            sent: 0,
            first_ns: None,
            last_ns: received_ns,
            pace,
            gap_errors_ns: Vec::new(),
            zero_gaps: 0,
        }
    }

    /// When its next write is due, in ns.
    pub(super) fn due_ns(&self) -> u64 {
        let token = if self.ask.stream {
            self.sent
        } else {
            self.ask.tokens - 1
        };
        self.pace.due_ns(self.received_ns, token)
    }

    /// How many tokens its next write carries.
    pub(super) fn next_tokens(&self) -> u32 {
        let left = self.ask.tokens - self.sent;
        if self.ask.stream {
            self.pace.together(left)
        } else {
            left
        }
    }

    pub(super) fn all_sent(&self) -> bool {
        self.sent == self.ask.tokens
    }

    /// The gaps between its writes, in ns.
    pub(super) fn gaps_ns(&self) -> impl Iterator<Item = u64> {
        let itl_ns = self.pace.itl_ns() as f64;
        let errors = self.gap_errors_ns.iter();
        errors.map(move |error_ns| (itl_ns + f64::from(*error_ns)) as u64)
    }

    /// Enters a write of `tokens` that begins at `now_ns`.
    pub(super) fn record(&mut self, now_ns: u64, tokens: u32) {
        self.sent += tokens;
        if self.ask.stream {
            if self.first_ns.is_some() {
                let gap_ns = now_ns.saturating_sub(self.last_ns) as f64;
                self.gap_errors_ns
                    .push((gap_ns - self.pace.itl_ns() as f64) as f32);
            } else {
                self.first_ns = Some(now_ns);
            }
            self.zero_gaps += tokens - 1;
        }
        self.last_ns = now_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use crate::metronome::ask::Ask;
    use crate::metronome::schedule::Pace;
    use plimsoll_core::protocol::Protocol;
    use std::time::Duration;

    fn answer(stream: bool, ttft_ns: u64, itl_ns: u64) -> Answer {
        let ask = Ask {
            protocol: Protocol::Chat,
            tokens: 4,
            stream,
            include_usage: false,
            prompt_tokens: 1,
        };
        let pace = Pace::new(Duration::from_nanos(ttft_ns), Duration::from_nanos(itl_ns));
        Answer::new(ask, None, 1_000, pace)
    }

    #[test]
    fn a_late_write_leaves_the_next_one_its_time() {
        let mut answer = answer(true, 500, 100);
        assert_eq!(answer.due_ns(), 1_500);
        answer.record(1_580, answer.next_tokens());
        assert_eq!(answer.due_ns(), 1_600);
        answer.record(1_600, 1);
        assert_eq!((answer.first_ns, answer.last_ns), (Some(1_580), 1_600));
        answer.record(1_723, 1);
        assert_eq!(answer.gaps_ns().collect::<Vec<_>>(), [20, 123]);
    }

    #[test]
    fn what_is_due_at_once_goes_out_at_once() {
        let mut streamed = answer(true, 0, 0);
        streamed.record(1_010, streamed.next_tokens());
        assert!(streamed.all_sent());
        assert_eq!((streamed.zero_gaps, streamed.gaps_ns().count()), (3, 0));
        let mut whole = answer(false, 0, 10);
        assert_eq!((whole.due_ns(), whole.next_tokens()), (1_030, 4));
        whole.record(1_031, 4);
        assert_eq!(
            (whole.first_ns, whole.last_ns, whole.zero_gaps),
            (None, 1_031, 0)
        );
    }
}
