//! From what was typed to what it means: objectives, rules, loads, time.

use std::time::Duration;

use plimsoll_core::run::{Goal, RunPlan, SearchPlan};
use plimsoll_core::search::{Axis, Rules};
use plimsoll_core::slo::Slo;
use plimsoll_core::tier::Tier;

use super::{ladder, tiers};
use crate::cli::FindArgs;
use crate::fault::{AskFault, Failure};
use crate::machine;
use crate::measure::Way;
use crate::measure::asked::{self, MeasureArgs};

/// First load of the ramp after the baseline.
const FIRST_RUNG: u32 = 2;

/// A plan that makes sense.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) plan: RunPlan,
    /// How the server is reached in this call.
    pub(super) way: Way,
    /// Whether the first rung was chosen here.
    may_move_start: bool,
}

impl Planned {
    /// A plan of the past, to go on with.
    pub(super) fn of_saved(plan: RunPlan, way: Way) -> Self {
        Self {
            plan,
            way,
            may_move_start: false,
        }
    }

    /// The same for the `number`-th of several runs, with seeds of its own, and the arguments that
    /// would run it alone.
    pub(super) fn numbered(&self, number: u32) -> Self {
        let mut other = self.clone();
        let later = u64::from(number) - 1;
        other.plan.seed = self.plan.seed.wrapping_add(later);
        let prompt_seed = self.plan.prompt_seed;
        other.plan.prompt_seed = prompt_seed.map(|seed| seed.wrapping_add(later));
        let seed = other.plan.seed;
        let arguments = &mut other.plan.arguments;
        arguments.retain(|one| !one.starts_with("--seed="));
        arguments.push(format!("--seed={seed}"));
        other
    }

    /// Takes the request time that preflight has estimated. Users who think are mostly not in
    /// flight, so fewer than make one request in flight would only cost time.
    pub(super) fn know(&mut self, request_time: Duration) {
        let think = self.plan.think_time_s.filter(|_| self.may_move_start);
        if let (Some(think_s), Goal::Search(search)) = (think, &mut self.plan.goal) {
            let users = think_s / request_time.as_secs_f64();
            search.start = (users.round() as u32).clamp(search.start, search.max_concurrency);
        }
    }
}

/// # Errors
/// The arguments contradict each other.
pub(super) fn resolve(args: &FindArgs, typed: &[String]) -> Result<Planned, Failure> {
    let most_streams = ladder::most_streams(args)?;
    if let Some(start) = args.start.filter(|start| *start > most_streams) {
        let most = most_streams;
        return Err(AskFault::StartAboveMost { start, most }.into());
    }
    let budget = args.budget.time();
    if let Some(level) = args.level_time.filter(|time| *time > budget) {
        return Err(AskFault::LevelAboveBudget { level, budget }.into());
    }
    let tiers = tiers::tiers(args)?;
    let (slo, slo_given) = objectives(args, &tiers)?;
    let search = search_plan(args, (slo_given, most_streams), tiers.clone())?;
    let plan = RunPlan {
        burst: args.burst,
        confidence: args.confidence,
        ..shared(args, typed).plan(Goal::Search(search), (slo, slo_given), args.preset)
    };
    tiers::check(&tiers, plan.lockstep)?;
    Ok(Planned {
        plan,
        way: Way::of(&args.server, &args.connect, &args.requests),
        may_move_start: args.start.is_none(),
    })
}

fn shared<'a>(args: &'a FindArgs, typed: &'a [String]) -> MeasureArgs<'a> {
    MeasureArgs {
        server: &args.server,
        lengths: &args.lengths,
        think: args.think,
        requests: &args.requests,
        body: &args.body,
        show: &args.show,
        connect: &args.connect,
        engine: &args.engine,
        typed,
    }
}

/// The objectives, those of the first tier where there are tiers, and whether the user gave them.
fn objectives(args: &FindArgs, tiers: &[Tier]) -> Result<(Slo, bool), Failure> {
    let objectives = match tiers.first() {
        Some(first) => (first.slo.clone(), true),
        None => asked::slo(&args.slo, args.lengths.workload)?,
    };
    tiers
        .iter()
        .try_for_each(|tier| asked::has_what_goodput_counts(&tier.slo))?;
    Ok(objectives)
}

fn search_plan(
    args: &FindArgs,
    (slo_given, most_streams): (bool, u32),
    tiers: Vec<Tier>,
) -> Result<SearchPlan, Failure> {
    Ok(SearchPlan {
        tiers,
        axis: args.by.axis(),
        rules: Rules {
            least_growth: args.min_growth,
            growth_stops: !slo_given,
            resources_stop: !slo_given && !args.ignore_resources,
        },
        ladder: ladder::ladder(args)?,
        start: args.start.unwrap_or(FIRST_RUNG.min(most_streams)),
        max_concurrency: most_streams,
        max_rate_per_s: args.max_rate,
        burstiness: args.burstiness,
        confirm: !args.no_confirm,
        level_time_s: args.level_time.map(|time| time.as_secs_f64()),
        budget_s: args.budget.time().as_secs_f64(),
        headroom_ratio: args.headroom,
    })
}

/// Workers for the largest load of a search.
pub(super) fn workers(search: &SearchPlan) -> u32 {
    let rate = match search.axis {
        Axis::Streams => f64::INFINITY,
        Axis::Rate => search.max_rate_per_s,
    };
    machine::workers(search.max_concurrency, rate)
}
