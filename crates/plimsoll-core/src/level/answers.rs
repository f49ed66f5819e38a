//! What the answers of a level were like beside their latencies: the lengths asked for, and whether
//! they are what they seem.

use serde::{Deserialize, Serialize};

use super::LevelSummary;
use crate::record::RequestRecord;
use crate::stats::mean;

/// Means of output lengths that differ by less are the same: a token of the end may be counted.
const SAME_OUTPUT_RATIO: f64 = 0.05;
const SAME_OUTPUT_TOKENS: f64 = 1.0;
/// The same for prompts, whose length is approximate, and to which a chat template adds.
const SAME_PROMPT_RATIO: f64 = 0.1;
const SAME_PROMPT_TOKENS: f64 = 32.0;

/// Completed requests of a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Answers {
    /// Prompt tokens that were asked for, mean.
    pub asked_prompt_tokens_mean: Option<f64>,
    /// Output tokens that were asked for, mean.
    pub asked_output_tokens_mean: Option<f64>,
    /// Tokens of reasoning that the server counts and did not stream, mean over all answers; `None`
    /// where there are none. They are in no other count of output tokens.
    pub hidden_output_tokens_mean: Option<f64>,
    /// Answers whose `usage` states a count that cannot be, so that it is absent.
    pub usage_disbelieved: u64,
    /// Answers of several tokens that came at one moment: their time to first token is that of the
    /// whole request, and they have no time per output token.
    pub in_one_piece: u64,
}

impl Answers {
    pub(super) fn of<'a>(completed: impl Iterator<Item = &'a RequestRecord>) -> Self {
        let mut answers = Self::default();
        let (mut prompts, mut outputs, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
        for record in completed {
            // A length of 0 was not asked for.
            let asked = |tokens: u32| (tokens > 0).then(|| f64::from(tokens));
            prompts.extend(asked(record.asked_prompt_tokens));
            outputs.extend(asked(record.asked_output_tokens));
            hidden.push(f64::from(record.hidden_output_tokens.unwrap_or(0)));
            answers.usage_disbelieved += u64::from(record.usage_disbelieved);
            answers.in_one_piece += u64::from(record.came_in_one_piece());
        }
        answers.asked_prompt_tokens_mean = mean(&prompts);
        answers.asked_output_tokens_mean = mean(&outputs);
        answers.hidden_output_tokens_mean = mean(&hidden).filter(|mean| *mean > 0.0);
        answers
    }
}

impl LevelSummary {
    /// Output tokens of completed requests with those that were not streamed, mean: what an asked
    /// length bounds.
    pub fn all_output_tokens_mean(&self) -> Option<f64> {
        Some(self.output_tokens_mean? + self.answers.hidden_output_tokens_mean.unwrap_or(0.0))
    }

    /// Whether answers have another length than was asked for; `None` where nothing completed.
    pub fn has_other_outputs(&self) -> Option<bool> {
        let asked = self.answers.asked_output_tokens_mean?;
        let came = self.all_output_tokens_mean()?;
        Some((came - asked).abs() > (asked * SAME_OUTPUT_RATIO).max(SAME_OUTPUT_TOKENS))
    }

    /// Whether prompts have another length than was asked for; `None` where the server counts none.
    pub fn has_other_prompts(&self) -> Option<bool> {
        let asked = self.answers.asked_prompt_tokens_mean?;
        let came = self.prompt_tokens_mean?;
        Some((came - asked).abs() > (asked * SAME_PROMPT_RATIO).max(SAME_PROMPT_TOKENS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;
    use crate::search::tests::level;

    #[test]
    fn what_was_asked_for_and_what_is_odd_is_counted() {
        let mut whole = record(0, &[50]);
        whole.usage_output_tokens = Some(4);
        let mut thought = record(0, &[10, 20]);
        thought.asked_output_tokens = 8;
        thought.hidden_output_tokens = Some(6);
        let mut odd = record(0, &[10, 20]);
        odd.usage_output_tokens = None;
        odd.usage_disbelieved = true;
        let answers = Answers::of([whole, thought, odd, record(0, &[7])].iter());
        let expected = Answers {
            asked_prompt_tokens_mean: Some(8.0),
            asked_output_tokens_mean: Some(5.0),
            hidden_output_tokens_mean: Some(1.5),
            usage_disbelieved: 1,
            in_one_piece: 1,
        };
        assert_eq!(answers, expected);
        assert_eq!(Answers::of([].iter()), Answers::default());
    }

    #[test]
    fn lengths_are_others_beyond_what_counting_explains() {
        let outputs = |asked, came, hidden| {
            let mut level = level(8, 0, 10);
            level.answers.asked_output_tokens_mean = asked;
            level.answers.hidden_output_tokens_mean = hidden;
            level.output_tokens_mean = came;
            level.has_other_outputs()
        };
        let table = [
            (Some(128.0), Some(25.0), None, Some(true)),
            (Some(20.0), Some(60.0), None, Some(true)),
            (Some(128.0), Some(127.0), None, Some(false)),
            (Some(100.0), Some(10.0), Some(90.0), Some(false)),
            (Some(128.0), None, None, None),
            (None, Some(25.0), None, None),
        ];
        for (asked, came, hidden, other) in table {
            assert_eq!(outputs(asked, came, hidden), other, "{asked:?} {came:?}");
        }
        let prompts = |asked, came| {
            let mut level = level(8, 0, 10);
            level.answers.asked_prompt_tokens_mean = Some(asked);
            level.prompt_tokens_mean = Some(came);
            level.has_other_prompts()
        };
        assert_eq!(prompts(2_000.0, 512.0), Some(true));
        assert_eq!(prompts(16.0, 40.0), Some(false), "a chat template");
        assert_eq!(prompts(2_000.0, 1_950.0), Some(false));
    }
}
