//! The seeds of a run: typed, or drawn once when the run is planned. The plan keeps them, so that a
//! run that goes on has them too.

use std::hash::{BuildHasher, RandomState};

use plimsoll_core::run::RunPlan;

use crate::cli::RequestArgs;

/// The seeds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seeds {
    /// Of lengths, arrivals and waits.
    pub(super) seed: u64,
    /// Of the prompts; `None` where they come from `seed` as well.
    pub(super) prompts: Option<u64>,
}

impl Seeds {
    /// Those typed, and drawn ones for the rest.
    pub(super) fn of(args: &RequestArgs, mut draw: impl FnMut() -> u64) -> Self {
        Self {
            seed: args.seed.unwrap_or_else(&mut draw),
            prompts: (!args.same_prompts).then(draw),
        }
    }
}

/// The seed of preflight's prompts: another one in each call, unless prompts are to be the same. It
/// is never that of the load.
pub(super) fn of_probes(plan: &RunPlan) -> u64 {
    match plan.prompt_seed {
        Some(_) => drawn(),
        None => !plan.seed,
    }
}

/// A number that differs from run to run, below 2^53, so that every reader of JSON has it exactly.
pub(super) fn drawn() -> u64 {
    RandomState::new().hash_one(()) >> 11
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn prompts_are_new_unless_they_are_to_be_the_same() {
        let table = [
            (None, false, (1, Some(2))),
            (Some(7), false, (7, Some(1))),
            (Some(7), true, (7, None)),
        ];
        for (seed, same_prompts, expected) in table {
            let args = RequestArgs {
                timeout: Duration::from_secs(1),
                wait: Duration::ZERO,
                max_failures: None,
                no_keep_alive: false,
                seed,
                same_prompts,
            };
            let mut drawn = 0;
            let seeds = Seeds::of(&args, || {
                drawn += 1;
                drawn
            });
            assert_eq!((seeds.seed, seeds.prompts), expected);
        }
    }

    #[test]
    fn no_two_draws_are_alike() {
        let draws: std::collections::BTreeSet<u64> = (0..100).map(|_| drawn()).collect();
        assert_eq!(draws.len(), 100);
        assert!(draws.iter().all(|one| *one < 1 << 53));
    }
}
