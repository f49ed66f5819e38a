//! Lengths: how many words make a prompt, whether prompts arrive whole, whether prompt and answer fit
//! into the server's context, and whether an answer has the length asked for.

use std::time::Duration;

use plimsoll_core::negotiation::{Negotiation, Next, Refusal, is_too_long};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::PromptForm;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::workload::Calibration;

use super::PreflightError;
use super::probe::{Ask, Prober};
use crate::dialect::Dialect;

/// Words of the first two prompts by which words are related to tokens: so few that hardly a server
/// cuts them.
const SHORT_WORDS: u32 = 16;
const MIDDLE_WORDS: u32 = 64;
/// The answer of a probe that asks for something else, at most.
pub(super) const PROBE_TOKENS: u32 = 8;
/// A whole answer may take so long. Beyond it is not known whether its length is as asked, which is
/// worth less than the user's time.
const WHOLE_ANSWER: Duration = Duration::from_secs(20);
/// A request of the largest lengths: a server that refuses it does so at once.
const LARGEST: Duration = Duration::from_secs(5);
/// A prompt of which the server counts less than this share of what was asked for, and
/// [`FEW_TOKENS`] less, was cut. Words are related to tokens to a per cent or two.
const WHOLE_PROMPT_RATIO: f64 = 0.9;
const FEW_TOKENS: f64 = 8.0;

/// What a whole answer has shown.
pub(super) struct Whole {
    pub(super) dialect: Dialect,
    pub(super) record: RequestRecord,
}

impl Whole {
    /// Whether the answer had the length asked for; `None` where its end was not waited for.
    pub(super) fn has_asked_length(&self) -> Option<bool> {
        let is_whole = self.record.outcome == Outcome::Completed;
        let (tokens, _) = self.record.output_tokens().filter(|_| is_whole)?;
        Some(tokens == self.record.asked_output_tokens)
    }
}

/// One request of the mean lengths, after all that can be wrong with lengths.
pub(super) fn whole(
    prober: &mut Prober<'_>,
    negotiation: &mut Negotiation,
    mut dialect: Dialect,
    states_context: bool,
) -> Result<Whole, Failed> {
    if dialect.form.prompt_form() == PromptForm::Words {
        dialect.calibration = calibration(prober, &dialect)?;
    }
    if !states_context {
        fits(prober, &dialect)?;
    }
    let workload = *prober.workload();
    let ask = Ask {
        prompt_tokens: workload.input.mean_tokens(),
        output_tokens: workload.output.mean_tokens(),
        timeout: prober.options.timeout.min(WHOLE_ANSWER),
    };
    loop {
        let record = prober.ask(&dialect, ask)?;
        match record.outcome {
            Outcome::Completed | Outcome::TimedOut => {
                is_whole(ask.prompt_tokens, record.prompt_tokens)?;
                return Ok(Whole { dialect, record });
            }
            outcome => {
                let said = record.detail.as_deref().unwrap_or_default();
                match negotiation.hear_at_length(outcome, said) {
                    Next::Ask(form) | Next::Found(form) => dialect.form = form,
                    Next::Fails(refusal) => return Err(refusal.into()),
                }
            }
        }
    }
}

/// Why lengths are not as they must be.
pub(super) enum Failed {
    Preflight(PreflightError),
    Refused(Refusal),
}

impl From<PreflightError> for Failed {
    fn from(error: PreflightError) -> Self {
        Self::Preflight(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// How words become tokens; `None` where the server does not count them.
fn calibration(
    prober: &mut Prober<'_>,
    dialect: &Dialect,
) -> Result<Option<Calibration>, PreflightError> {
    let short = words(prober, dialect, SHORT_WORDS)?;
    let middle = words(prober, dialect, MIDDLE_WORDS)?;
    let fit = |long, tokens| Calibration::fit((SHORT_WORDS, short?), (long, tokens));
    let Some(rough) = middle.and_then(|tokens| fit(MIDDLE_WORDS, tokens)) else {
        return Ok(None);
    };
    // Of the mean length itself, since what is a little off at 64 words may be far off at 2 000.
    let mean = prober.workload().input.mean_tokens();
    let long = rough.words_for(mean);
    if long <= MIDDLE_WORDS {
        return Ok(Some(rough));
    }
    let tokens = words(prober, dialect, long)?;
    is_whole(mean, tokens)?;
    Ok(tokens.and_then(|tokens| fit(long, tokens)).or(Some(rough)))
}

/// Prompt tokens that the server counts for a prompt of so many words.
fn words(
    prober: &mut Prober<'_>,
    dialect: &Dialect,
    words: u32,
) -> Result<Option<u32>, PreflightError> {
    let ask = Ask {
        prompt_tokens: words,
        output_tokens: prober.workload().output.mean_tokens().min(PROBE_TOKENS),
        timeout: prober.options.timeout,
    };
    Ok(prober.ask(dialect, ask)?.prompt_tokens)
}

/// Whether the server counts the prompt that it was sent.
fn is_whole(asked: u32, counted: Option<u32>) -> Result<(), PreflightError> {
    let least = f64::from(asked) * WHOLE_PROMPT_RATIO - FEW_TOKENS;
    match counted {
        Some(counted) if f64::from(counted) < least => {
            Err(PreflightError::PromptsCut { asked, counted })
        }
        _ => Ok(()),
    }
}

/// Whether the largest prompt and the largest answer fit into the context of a server that does not
/// state it.
fn fits(prober: &mut Prober<'_>, dialect: &Dialect) -> Result<(), Failed> {
    let workload = *prober.workload();
    let ask = Ask {
        prompt_tokens: workload.input.longest_tokens(),
        output_tokens: workload.output.longest_tokens(),
        timeout: prober.options.timeout.min(LARGEST),
    };
    let record = prober.ask(dialect, ask)?;
    let said = record.detail.unwrap_or_default();
    if is_too_long(record.outcome, &said) {
        return Err(Refusal::TooLong { said }.into());
    }
    Ok(())
}
