//! What is right to say of a server.

use super::server::Counts;
use super::told::{Ended, Told};

/// One thing that must be true of what a command told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right {
    /// The exit code is one of these.
    Exit(&'static [i32]),
    /// The load ran, all its requests completed, and nothing is said against the server: exit 0, or 5
    /// where the machine was too busy to say anything.
    AllCompleted,
    /// Each request of the load ended this way.
    AllEndedAs(&'static str),
    /// Some request of the load ended this way.
    SomeEndedAs(&'static str),
    /// Completed answers have as many tokens as were asked for.
    OutputAsAsked,
    /// Completed answers have so many tokens.
    OutputTokens(u32),
    /// No first token was there before the server had sent it, ms.
    TtftFromMs(f64),
    /// No pace is faster than the server's pauses between tokens, on average, ms.
    TpotFromMs(f64),
    /// The words stand in what it printed, wherever its lines are broken.
    Says(&'static str),
    /// The words do not.
    SaysNot(&'static str),
    /// True of what the server counted.
    Server(fn(&Counts) -> bool),
    /// True of all that was told.
    Also(fn(&Told) -> bool),
}

impl Right {
    pub(crate) fn is_true_of(self, told: &Told) -> bool {
        let all = |is: &dyn Fn(&Ended) -> bool| !told.ended.is_empty() && told.ended.iter().all(is);
        match self {
            Self::Exit(codes) => told.code.is_some_and(|code| codes.contains(&code)),
            Self::AllCompleted => {
                Self::AllEndedAs("completed").is_true_of(told)
                    && Self::Exit(&[0, 5]).is_true_of(told)
            }
            Self::AllEndedAs(outcome) => all(&|one| one.outcome == outcome),
            Self::SomeEndedAs(outcome) => told.ended.iter().any(|one| one.outcome == outcome),
            Self::OutputAsAsked => completed(told).all(|one| {
                one.output_tokens.is_some() && one.output_tokens == one.asked_output_tokens
            }),
            Self::OutputTokens(count) => {
                completed(told).all(|one| one.output_tokens == Some(count))
            }
            Self::TtftFromMs(bound) => {
                completed(told).all(|one| one.ttft_ms.is_some_and(|ttft| ttft >= bound))
            }
            Self::TpotFromMs(bound) => {
                let paces: Vec<f64> = completed(told).filter_map(|one| one.tpot_ms).collect();
                !paces.is_empty() && paces.iter().sum::<f64>() / paces.len() as f64 >= bound
            }
            Self::Says(words) => told.says(words),
            Self::SaysNot(words) => !told.says(words),
            Self::Server(is_true) => is_true(&told.server),
            Self::Also(is_true) => is_true(told),
        }
    }
}

fn completed(told: &Told) -> impl Iterator<Item = &Ended> {
    told.ended.iter().filter(|one| one.outcome == "completed")
}
