//! `--slo-tier`: several SLOs in one run, where that is not possible, and their searches.

use plimsoll_core::level::FinishedLevel;
use plimsoll_core::run::Run;
use plimsoll_core::search::{SearchConfig, Searches};
use plimsoll_core::slo::Slo;
use plimsoll_core::tier::Tier;

use super::start::Start;
use crate::cli::FindArgs;
use crate::fault::{AskFault, Failure, Hint};

/// The tiers asked for, in their order.
pub(super) fn tiers(args: &FindArgs) -> Result<Vec<Tier>, Failure> {
    let tiers = args.slo_tier.iter().cloned().map(|mut tier| {
        tier.slo = tier.slo.with_success_beside_means(args.slo.min_success);
        tier
    });
    let tiers: Vec<Tier> = tiers.collect();
    for (at, tier) in tiers.iter().enumerate() {
        if tiers[..at].iter().any(|other| other.name == tier.name) {
            let name = tier.name.clone();
            let hint = Hint::OneTierOption { name: name.clone() };
            return Err(Failure::from(AskFault::SameTier(name)).hint(hint));
        }
    }
    if tiers.is_empty() {
        return Ok(tiers);
    }
    if !args.slo.slo.is_empty() {
        return Err(Failure::from(AskFault::SloBesideTiers).hint(Hint::NameObjectives));
    }
    if args.repeat.is_some() {
        return Err(Failure::from(AskFault::TiersRepeated).hint(Hint::RepeatEachTier));
    }
    Ok(tiers)
}

/// Whether one level can be judged by several SLOs.
pub(super) fn check(tiers: &[Tier], lockstep: bool) -> Result<(), Failure> {
    if lockstep && tiers.len() > 1 {
        return Err(Failure::from(AskFault::TiersInLockstep).hint(Hint::SpreadLengths));
    }
    Ok(())
}

/// The searches, with the levels that a run of the past has for them.
pub(super) fn searches(
    config: &SearchConfig,
    start: &Start,
    run: &Run,
) -> Result<Searches, Failure> {
    let others = run.plan.tiers().iter().skip(1);
    let others: Vec<Slo> = others.map(|tier| tier.slo.clone()).collect();
    let mut tiers = Searches::new(config, &others);
    let Some(saved) = start.saved() else {
        return Ok(tiers);
    };
    let at = |fault| saved.of_requests(fault);
    let keeps_stamps = config.settings.keeps_stamps;
    let mut requests = match others.len() {
        // The only search takes them as they were judged.
        0 => None,
        _ if saved.keeps_requests() => Some(saved.requests().map_err(at)?),
        _ => {
            return Err(Failure::from(AskFault::RunHasNoRequests).hint(Hint::KeepRequests));
        }
    };
    for (level, in_flight) in run.levels.iter().zip(&saved.in_flight) {
        let requests = requests.as_mut();
        let records = requests.map(|requests| requests.level(level, keeps_stamps));
        tiers.take_again(&FinishedLevel {
            summary: level.clone(),
            records: records.transpose().map_err(at)?.unwrap_or_default(),
            in_flight: in_flight.clone(),
            samples: Vec::new(),
        });
    }
    tiers.go_on();
    Ok(tiers)
}
