//! From what was typed to what it means: objectives, rules, workload, target.

use std::time::Duration;

use plimsoll_core::run::RunPlan;
use plimsoll_core::search::{Axis, Rules, SearchConfig};
use plimsoll_core::slo::Slo;
use plimsoll_core::workload::Workload;
use plimsoll_load::preflight::PreflightOptions;
use plimsoll_load::target::Target;

use super::{asked, tiers};
use crate::cli::FindArgs;
use crate::fault::{AskFault, Failure};
use crate::machine;
use crate::reach;

/// First load of the ramp after the baseline.
const FIRST_RUNG: u32 = 2;

/// Until preflight has an estimate.
const UNKNOWN_REQUEST_TIME: Duration = Duration::from_secs(1);

/// A plan that makes sense.
pub(super) struct Resolved {
    pub(super) plan: RunPlan,
    pub(super) search: SearchConfig,
    pub(super) preflight: PreflightOptions,
    pub(super) workers: u32,
    /// Whether a connection carries one request after another.
    pub(super) keep_alive: bool,
    /// Whether each request gets its line in the run folder.
    pub(super) keeps_requests: bool,
    /// Whether the first rung was chosen here.
    may_move_start: bool,
}

impl Resolved {
    /// Goes on with the first rung of a saved run.
    pub(super) fn start_as(&mut self, saved: &RunPlan) {
        if std::mem::take(&mut self.may_move_start) {
            self.search.start = saved.start;
            self.plan.start = saved.start;
        }
    }

    /// Takes the request time that preflight has estimated. Users who think are mostly not in
    /// flight, so fewer than make one request in flight would only cost time.
    pub(super) fn know(&mut self, request_time: Option<Duration>) {
        let Some(request_time) = request_time else {
            return;
        };
        self.search.first_request_time = request_time;
        if let Some(think) = self.search.settings.think.filter(|_| self.may_move_start) {
            let users = think.mean.as_secs_f64() / request_time.as_secs_f64();
            let start = (users.round() as u32).clamp(self.search.start, self.search.most_streams);
            self.search.start = start;
            self.plan.start = start;
        }
    }
}

pub(super) fn resolve(args: &FindArgs) -> Result<Resolved, Failure> {
    let most_streams = asked::most_streams(args);
    if let Some(start) = args.start.filter(|start| *start > most_streams) {
        let most = most_streams;
        return Err(AskFault::StartAboveMost { start, most }.into());
    }
    let tiers = tiers::tiers(args)?;
    let (slo, slo_given) = match tiers.first() {
        Some(first) => (first.slo.clone(), true),
        None => crate::asked::slo(&args.slo, args.lengths.workload)?,
    };
    tiers
        .iter()
        .try_for_each(|tier| crate::asked::has_what_goodput_counts(&tier.slo))?;
    if let Some(level_time) = args.level_time.filter(|time| *time > args.budget) {
        return Err(AskFault::LevelAboveBudget {
            level: level_time,
            budget: args.budget,
        }
        .into());
    }
    let workload = crate::asked::workload(&args.lengths, args.seed);
    let mut plan = run_plan(args, slo, slo_given, &workload)?;
    tiers::check(&tiers, plan.lockstep)?;
    plan.tiers = tiers;
    let search = SearchConfig {
        first_request_time: UNKNOWN_REQUEST_TIME,
        ..SearchConfig::of(&plan)
    };
    let rate = match plan.axis {
        Axis::Streams => f64::INFINITY,
        Axis::Rate => args.max_rate,
    };
    let workers = machine::workers(most_streams, rate);
    Ok(Resolved {
        plan,
        search,
        preflight: PreflightOptions {
            model: args.model.clone(),
            protocol: args.endpoint,
            workload,
            timeout: args.timeout,
        },
        workers,
        keep_alive: !args.no_keep_alive,
        keeps_requests: !args.no_requests,
        may_move_start: args.start.is_none(),
    })
}

fn run_plan(
    args: &FindArgs,
    slo: Slo,
    slo_given: bool,
    workload: &Workload,
) -> Result<RunPlan, Failure> {
    let target = match &args.url {
        Some(url) => url.clone(),
        None => format!("sim:{}", args.engine.profile),
    };
    let most_streams = asked::most_streams(args);
    Ok(RunPlan {
        target,
        // Known when the target is.
        proxy: None,
        slo,
        tiers: Vec::new(),
        slo_given,
        axis: args.by.axis(),
        rules: Rules {
            least_growth: args.min_growth,
            growth_stops: !slo_given,
            resources_stop: !slo_given && !args.ignore_resources,
        },
        ladder: asked::ladder(args)?,
        start: args.start.unwrap_or(FIRST_RUNG.min(most_streams)),
        max_concurrency: most_streams,
        max_rate_per_s: args.max_rate,
        burstiness: args.burstiness,
        confirm: !args.no_confirm,
        workload: args.lengths.workload.map(|named| named.name.to_owned()),
        input_len: workload.input,
        output_len: workload.output,
        think_time_s: args.think.mean.map(|think| think.as_secs_f64()),
        think_time_is_fixed: args.think.is_fixed,
        user_think_time_s: args
            .think
            .mean
            .or(args.lengths.workload.and_then(|named| named.think))
            .map(|think| think.as_secs_f64()),
        burst: args.burst,
        lockstep: crate::asked::is_lockstep(workload, args.think),
        confidence: args.confidence,
        level_time_s: args.level_time.map(|time| time.as_secs_f64()),
        budget_s: args.budget.as_secs_f64(),
        timeout_s: args.timeout.as_secs_f64(),
        headroom_ratio: args.headroom,
        seed: args.seed,
        // Known to whoever reads the command line.
        arguments: Vec::new(),
    })
}

/// The server to load, with its key.
pub(super) fn target(args: &FindArgs) -> Result<Target, Failure> {
    let url = args.url.as_deref().unwrap_or_default();
    let mut target = Target::parse(url)?;
    args.connect
        .apply(&mut target, &|name| std::env::var(name).ok())?;
    let variable = args.api_key_env.as_deref();
    Ok(reach::with_key(target, args.endpoint, variable, &|name| {
        std::env::var(name).ok()
    }))
}
