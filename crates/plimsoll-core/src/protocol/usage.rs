//! Token counts as a server states them, and what of them is believed.

use super::json::Json;

/// No context window is longer, by far: a count above it is no count.
const MOST_TOKENS: u32 = 10_000_000;

/// Token counts as the server states them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u32>,
    /// Tokens of the answer.
    pub completion_tokens: Option<u32>,
    /// Of these, tokens of reasoning, streamed or not.
    pub reasoning_tokens: Option<u32>,
    /// It states a count that no number of tokens can be: negative, a fraction, no number.
    pub impossible: bool,
}

impl Usage {
    /// Reads an object of counts by `OpenAI`'s names; `None` where it states nothing.
    pub(super) fn read(counts: Option<&Json<'_>>) -> Option<Self> {
        let counts = counts?;
        let mut usage = Self::default();
        usage.prompt_tokens = usage.count(first_of(counts, ["prompt_tokens", "input_tokens"]));
        usage.completion_tokens =
            usage.count(first_of(counts, ["completion_tokens", "output_tokens"]));
        let details = first_of(
            counts,
            ["completion_tokens_details", "output_tokens_details"],
        );
        let reasoning = details.and_then(|details| details.get("reasoning_tokens"));
        usage.reasoning_tokens = usage.count(reasoning.or(counts.get("reasoning_tokens")));
        (usage != Self::default()).then_some(usage)
    }

    /// A count, if the value is one; if it states one that cannot be, that is noted.
    pub(super) fn count(&mut self, value: Option<&Json<'_>>) -> Option<u32> {
        let value = value.filter(|value| value.text().is_none_or(|text| !text.is_empty()))?;
        let written = || value.text()?.parse().ok();
        let count = value
            .number()
            .or_else(written)
            .filter(|count| count.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(count))
            .map(|count| count as u32);
        self.impossible |= count.is_none();
        count
    }

    /// Takes what a later payload states. A prompt does not become shorter: a later count may leave
    /// out what came from the cache.
    pub(super) fn take(&mut self, later: Self) {
        self.prompt_tokens = later.prompt_tokens.max(self.prompt_tokens);
        self.completion_tokens = later.completion_tokens.or(self.completion_tokens);
        self.reasoning_tokens = later.reasoning_tokens.or(self.reasoning_tokens);
        self.impossible |= later.impossible;
    }
}

fn first_of<'d, 'a>(counts: &'d Json<'a>, names: [&str; 2]) -> Option<&'d Json<'a>> {
    names.into_iter().find_map(|name| counts.get(name))
}

/// What was seen of an answer, against which its counts are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Events with output.
    pub events: u32,
    /// Bytes of the output text.
    pub bytes: u64,
    /// Whether reasoning was streamed.
    pub has_reasoning: bool,
}

/// Token counts that can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u32>,
    /// Tokens of the answer that were streamed.
    pub output_tokens: Option<u32>,
    /// Tokens of reasoning that were not.
    pub hidden_tokens: Option<u32>,
    /// A count was stated that cannot be.
    pub has_disbelieved: bool,
}

impl Counted {
    /// What is believed of the counts of an answer, of which `asked` tokens were asked for. A count
    /// of 0 is that of a server which does not count.
    ///
    /// | a count | cannot be, since |
    /// |---|---|
    /// | below the number of output events | an event with output has a token at least |
    /// | above what was asked for and above the bytes of the output | a token that is streamed has a byte at least |
    /// | above ten million | no context is that long |
    pub fn of(usage: Usage, seen: Seen, asked: u32) -> Self {
        let stated = |count: Option<u32>| count.filter(|count| *count > 0);
        let (output, hidden) = apart(stated(usage.completion_tokens), usage, seen);
        let most = u64::from(asked).max(seen.bytes);
        let is_output = |count: &u32| *count >= seen.events && u64::from(*count) <= most;
        let is_size = |count: &u32| *count <= MOST_TOKENS;
        let prompt = stated(usage.prompt_tokens);
        let mut counted = Self {
            prompt_tokens: prompt.filter(is_size),
            output_tokens: output.filter(is_output),
            hidden_tokens: hidden.filter(is_size),
            has_disbelieved: usage.impossible,
        };
        if counted.output_tokens != output {
            // What is wrong in one part cannot be told apart into two.
            counted.hidden_tokens = None;
        }
        counted.has_disbelieved |= counted.prompt_tokens != prompt
            || counted.output_tokens != output
            || counted.hidden_tokens != hidden;
        counted
    }
}

/// Tokens that were streamed and those of reasoning that were not. Most servers count the reasoning
/// within the answer, some beside it: then what is left would be fewer tokens than events.
fn apart(output: Option<u32>, usage: Usage, seen: Seen) -> (Option<u32>, Option<u32>) {
    let hidden = usage
        .reasoning_tokens
        .filter(|count| *count > 0 && !seen.has_reasoning);
    let (Some(all), Some(reasoning)) = (output, hidden) else {
        return (output, hidden);
    };
    match all.checked_sub(reasoning) {
        Some(rest) if rest >= seen.events => (Some(rest).filter(|rest| *rest > 0), hidden),
        _ => (output, hidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Usage> {
        Usage::read(Some(&Json::parse(text.as_bytes()).unwrap()))
    }

    fn usage(prompt: Option<u32>, completion: Option<u32>) -> Usage {
        Usage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            ..Usage::default()
        }
    }

    #[test]
    fn counts_are_read_from_whatever_states_them() {
        let impossible = Usage {
            impossible: true,
            ..usage(Some(5), None)
        };
        let table = [
            (
                r#"{"prompt_tokens":5,"completion_tokens":7}"#,
                Some(usage(Some(5), Some(7))),
            ),
            (
                r#"{"prompt_tokens":5.0,"completion_tokens":7.0}"#,
                Some(usage(Some(5), Some(7))),
            ),
            (
                r#"{"input_tokens":5,"output_tokens":7}"#,
                Some(usage(Some(5), Some(7))),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":-35}"#,
                Some(impossible),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":0.5}"#,
                Some(impossible),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":1e18}"#,
                Some(impossible),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":"many"}"#,
                Some(impossible),
            ),
            (
                r#"{"prompt_tokens":"5","completion_tokens":"7"}"#,
                Some(usage(Some(5), Some(7))),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":""}"#,
                Some(usage(Some(5), None)),
            ),
            (
                r#"{"prompt_tokens":5,"completion_tokens":null}"#,
                Some(usage(Some(5), None)),
            ),
            (r#"{"total_tokens":0,"total_characters":0}"#, None),
            ("{}", None),
            ("\"\"", None),
            ("[1]", None),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text}");
        }
        let hidden =
            r#"{"completion_tokens":100,"completion_tokens_details":{"reasoning_tokens":90}}"#;
        assert_eq!(read(hidden).unwrap().reasoning_tokens, Some(90));
    }

    #[test]
    fn a_later_count_replaces_that_of_the_answer_and_shortens_no_prompt() {
        let mut known = usage(Some(142), Some(1));
        known.take(usage(Some(12), Some(47)));
        assert_eq!(known, usage(Some(142), Some(47)));
        known.take(usage(None, None));
        assert_eq!(known, usage(Some(142), Some(47)));
    }

    /// Of an answer of 20 events with 3 bytes each, of which 20 tokens were asked for.
    fn output(stated: u32) -> Counted {
        let seen = Seen {
            events: 20,
            bytes: 60,
            has_reasoning: false,
        };
        Counted::of(usage(Some(16), Some(stated)), seen, 20)
    }

    #[test]
    fn a_count_that_cannot_be_is_not_believed() {
        let table = [
            (20, Some(20), false),
            // Several tokens in an event, though fewer were asked for.
            (60, Some(60), false),
            (1, None, true),
            (19, None, true),
            (61, None, true),
            (4_000_000_000, None, true),
            // Who states 0 does not count.
            (0, None, false),
        ];
        for (stated, believed, disbelieved) in table {
            let counted = output(stated);
            assert_eq!(counted.output_tokens, believed, "{stated}");
            assert_eq!(counted.has_disbelieved, disbelieved, "{stated}");
            assert_eq!(counted.prompt_tokens, Some(16));
        }
        let seen = Seen::default();
        let endless = Counted::of(usage(Some(4_000_000_000), None), seen, 20);
        assert_eq!(
            (endless.prompt_tokens, endless.has_disbelieved),
            (None, true)
        );
    }

    #[test]
    fn what_was_thought_and_not_streamed_is_counted_apart() {
        let seen = |events, has_reasoning| Seen {
            events,
            bytes: 1_000,
            has_reasoning,
        };
        let thought = |completion, reasoning| Usage {
            reasoning_tokens: Some(reasoning),
            ..usage(None, Some(completion))
        };
        let table = [
            (thought(100, 90), seen(10, false), (Some(10), Some(90))),
            (thought(100, 90), seen(100, true), (Some(100), None)),
            // Beside the answer instead of within it.
            (thought(10, 90), seen(10, false), (Some(10), Some(90))),
            (thought(100, 0), seen(100, false), (Some(100), None)),
        ];
        for (usage, seen, expected) in table {
            let counted = Counted::of(usage, seen, 100);
            assert_eq!((counted.output_tokens, counted.hidden_tokens), expected);
            assert!(!counted.has_disbelieved);
        }
    }
}
