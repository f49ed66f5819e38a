//! How much one answer may bring. A server that goes on and on must cost neither memory nor a run.

/// Events of an answer of which nothing was asked: some servers do not heed the number of tokens asked
/// for, and a body of the user's own may ask for more; models reason for tens of thousands of tokens.
const EVENTS: usize = 128 * 1024;
/// Events for each token that was asked for: one, and room for empty ones between them.
const EVENTS_PER_TOKEN: usize = 4;
/// Bytes of text of an answer of which nothing was asked: those events with 8 bytes each.
const TEXT_BYTES: u64 = 1 << 20;
/// Bytes of text for each token that was asked for. The longest of the vocabularies in use, runs of
/// blanks, have 128.
const TEXT_BYTES_PER_TOKEN: u64 = 256;
/// Bytes as they are received, of an answer of which nothing was asked: those events with 256 each.
const BYTES: u64 = 32 << 20;
/// Bytes as they are received, for each token that was asked for: 300 are usual, the likeliest 20 tokens
/// beside each (`logprobs`) take some 3,000.
const BYTES_PER_TOKEN: u64 = 16 * 1024;
/// More tokens are asked of no model; and more than so many events, 32 MB, are kept of no answer.
const MOST_TOKENS: u32 = 500_000;

/// The most that one answer may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) events: usize,
    pub(super) text_bytes: u64,
    pub(super) bytes: u64,
}

impl Default for Bound {
    fn default() -> Self {
        Self::of(0)
    }
}

impl Bound {
    /// The bound of an answer of which so many tokens were asked for.
    pub(super) fn of(asked_output_tokens: u32) -> Self {
        let asked = asked_output_tokens.min(MOST_TOKENS);
        Self {
            events: EVENTS + EVENTS_PER_TOKEN * asked as usize,
            text_bytes: TEXT_BYTES + TEXT_BYTES_PER_TOKEN * u64::from(asked),
            bytes: BYTES + BYTES_PER_TOKEN * u64::from(asked),
        }
    }

    /// What is wrong with an answer that has more events or text.
    #[cold]
    pub(super) fn broken_by_output(&self, events: usize) -> String {
        if events > self.events {
            does_not_end(self.events as u64, "events")
        } else {
            does_not_end(self.text_bytes, "bytes of text")
        }
    }

    /// What is wrong with one that has more bytes.
    #[cold]
    pub(super) fn broken_by_bytes(&self) -> String {
        does_not_end(self.bytes, "bytes")
    }
}

fn does_not_end(most: u64, what: &str) -> String {
    format!("the answer does not end: it has more than {most} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_what_was_asked_for_is_within_its_bound() {
        for asked in [0, 1, 20, 4_096, 131_072, MOST_TOKENS] {
            let bound = Bound::of(asked);
            // Each token an event of its own, with an empty one after it.
            assert!(2 * asked as usize <= bound.events);
            assert!(6 * u64::from(asked) <= bound.text_bytes);
            assert!(3_000 * u64::from(asked) <= bound.bytes);
        }
    }

    #[test]
    fn no_bound_is_above_what_a_machine_can_keep() {
        assert!(Bound::of(u32::MAX).events < 1 << 22);
        assert_eq!(Bound::of(u32::MAX), Bound::of(MOST_TOKENS));
    }
}
