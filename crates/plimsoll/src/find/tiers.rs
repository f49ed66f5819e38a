//! `--slo-tier`: several SLOs in one run, where that is not possible, and their searches.

use plimsoll_core::level::FinishedLevel;
use plimsoll_core::run::Run;
use plimsoll_core::search::Tiers;
use plimsoll_core::slo::Slo;
use plimsoll_core::tier::Tier;

use super::Start;
use super::plan::Resolved;
use crate::cli::FindArgs;
use crate::exit::Failure;

/// The tiers asked for, in their order.
pub(super) fn tiers(args: &FindArgs) -> Result<Vec<Tier>, Failure> {
    let tiers = args.slo_tier.iter().cloned().map(|mut tier| {
        tier.slo = tier.slo.with_success_beside_means(args.slo.min_success);
        tier
    });
    let tiers: Vec<Tier> = tiers.collect();
    for (at, tier) in tiers.iter().enumerate() {
        if tiers[..at].iter().any(|other| other.name == tier.name) {
            let name = &tier.name;
            return Err(
                Failure::usage(format!("there are two tiers `{name}`")).hint(format!(
                    "write all objectives of a tier in one --slo-tier: \
                     '{name}: ttft p95 <= 1s, tpot p95 <= 50ms'"
                )),
            );
        }
    }
    if tiers.is_empty() {
        return Ok(tiers);
    }
    if !args.slo.slo.is_empty() {
        return Err(
            Failure::usage("--slo and --slo-tier cannot be given together")
                .hint("give the objectives of --slo a name: --slo-tier 'default: ttft p95 <= 1s'"),
        );
    }
    if args.repeat.is_some() {
        return Err(Failure::usage(
            "--repeat compares answers for one SLO, and --slo-tier asks for several",
        )
        .hint("repeat with --slo, once for each tier"));
    }
    Ok(tiers)
}

/// Whether one level can be judged by several SLOs.
pub(super) fn check(tiers: &[Tier], lockstep: bool) -> Result<(), Failure> {
    if lockstep && tiers.len() > 1 {
        return Err(Failure::usage(
            "--slo-tier needs lengths that vary: streams in lockstep are judged while they run, \
             by one SLO",
        )
        .hint("leave --length-spread away, or set it to 9 or more"));
    }
    Ok(())
}

/// The searches, with the levels that a run of the past has for them.
pub(super) fn searches(resolved: &Resolved, start: &Start, run: &Run) -> Result<Tiers, Failure> {
    let others = resolved.plan.tiers.iter().skip(1);
    let others: Vec<Slo> = others.map(|tier| tier.slo.clone()).collect();
    let mut tiers = Tiers::new(&resolved.search, &others);
    let Some(saved) = start.saved() else {
        return Ok(tiers);
    };
    let mut requests = match others.len() {
        // The only search takes them as they were judged.
        0 => None,
        _ if saved.keeps_requests() => Some(saved.requests().map_err(Failure::usage)?),
        _ => {
            return Err(Failure::usage(
                "the run has several tiers and kept no requests: what its levels are to each \
                 tier is not known",
            )
            .hint("begin a new run, without --no-requests"));
        }
    };
    for (level, in_flight) in run.levels.iter().zip(&saved.in_flight) {
        let requests = requests.as_mut();
        let records = requests.map(|requests| requests.level(level)).transpose();
        tiers.take_again(&FinishedLevel {
            summary: level.clone(),
            records: records.map_err(Failure::usage)?.unwrap_or_default(),
            in_flight: in_flight.clone(),
            samples: Vec::new(),
        });
    }
    Ok(tiers)
}
