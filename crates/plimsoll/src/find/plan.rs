//! From what was typed to what it means: objectives, rules, workload, target.

use std::time::Duration;

use plimsoll_core::run::RunPlan;
use plimsoll_core::search::{Rules, SearchConfig};
use plimsoll_core::slo::Metric;
use plimsoll_core::workload::Workload;
use plimsoll_load::preflight::{EndpointChoice, PreflightOptions};
use plimsoll_load::target::Target;

use super::asked;
use crate::cli::{EndpointArg, FindArgs};
use crate::exit::Failure;
use crate::machine;

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
    /// Takes the request time that preflight has estimated. Users who think are mostly not in
    /// flight, so fewer than make one request in flight would only cost time.
    pub(super) fn know(&mut self, request_time: Option<Duration>) {
        let Some(request_time) = request_time else {
            return;
        };
        self.search.first_request_time = request_time;
        if let Some(think) = self.search.think.filter(|_| self.may_move_start) {
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
        return Err(Failure::usage(format!(
            "--start {start} is above --max-concurrency {most_streams}"
        )));
    }
    let (slo, slo_given) = asked::slo(args)?;
    let has_goodput = slo
        .0
        .iter()
        .any(|objective| objective.metric == Metric::Goodput);
    if has_goodput && slo.per_request().next().is_none() {
        return Err(Failure::usage(
            "`goodput` is the share of requests that meet the other objectives, and there is none",
        )
        .hint("add one, for example --slo 'ttft p95 <= 1s'"));
    }
    if let Some(level_time) = args.level_time.filter(|time| *time > args.budget) {
        return Err(Failure::usage(format!(
            "--level-time {level_time:?} is longer than --budget {:?}",
            args.budget
        )));
    }
    let rules = Rules {
        least_growth: args.min_growth,
        growth_stops: !slo_given,
        resources_stop: !slo_given && !args.ignore_resources,
    };
    let search = SearchConfig {
        rules,
        ladder: asked::ladder(args)?,
        start: args.start.unwrap_or(FIRST_RUNG.min(most_streams)),
        most_streams,
        level_time: args.level_time,
        think: asked::think(args),
        budget: args.budget,
        headroom: args.headroom,
        first_request_time: UNKNOWN_REQUEST_TIME,
        ..SearchConfig::new(slo)
    };
    let workload = asked::workload(args);
    let workers = machine::workers(most_streams, f64::INFINITY);
    Ok(Resolved {
        plan: run_plan(args, &search, &workload, slo_given),
        search,
        preflight: PreflightOptions {
            model: args.model.clone(),
            endpoint: match args.endpoint {
                EndpointArg::Auto => EndpointChoice::Auto,
                EndpointArg::Completions => EndpointChoice::Completions,
                EndpointArg::Chat => EndpointChoice::Chat,
            },
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
    search: &SearchConfig,
    workload: &Workload,
    slo_given: bool,
) -> RunPlan {
    let target = match &args.url {
        Some(url) => url.clone(),
        None => format!("sim:{}", args.engine.profile),
    };
    RunPlan {
        target,
        // Known when the target is.
        proxy: None,
        slo: search.slo.clone(),
        slo_given,
        rules: search.rules,
        ladder: search.ladder.clone(),
        start: search.start,
        max_concurrency: search.most_streams,
        workload: args.workload.map(|named| named.name.to_owned()),
        input_len: workload.input,
        output_len: workload.output,
        think_time_s: args.think_time.map(|think| think.as_secs_f64()),
        user_think_time_s: args
            .think_time
            .or(args.workload.and_then(|named| named.think))
            .map(|think| think.as_secs_f64()),
        level_time_s: args.level_time.map(|time| time.as_secs_f64()),
        budget_s: args.budget.as_secs_f64(),
        timeout_s: args.timeout.as_secs_f64(),
        headroom_ratio: args.headroom,
        seed: args.seed,
    }
}

/// The server to load, with its key.
pub(super) fn target(args: &FindArgs) -> Result<Target, Failure> {
    let url = args.url.as_deref().unwrap_or_default();
    let mut target = Target::parse(url).map_err(|error| Failure::usage(error.to_string()))?;
    args.connect
        .apply(&mut target, &|name| std::env::var(name).ok())?;
    Ok(match std::env::var(&args.api_key_env) {
        Ok(key) if !key.is_empty() => target.with_api_key(key.trim()),
        _ => target,
    })
}
