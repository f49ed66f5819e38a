//! From what was typed to what it means: objectives, rules, workload, target.

use std::time::Duration;

use plimsoll_core::run::RunPlan;
use plimsoll_core::search::{Rules, SearchConfig};
use plimsoll_core::slo::{Metric, Objective, Slo};
use plimsoll_core::workload::Workload;
use plimsoll_load::preflight::{EndpointChoice, PreflightOptions};
use plimsoll_load::target::Target;

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
}

pub(super) fn resolve(args: &FindArgs) -> Result<Resolved, Failure> {
    if let Some(start) = args.start.filter(|start| *start > args.max_concurrency) {
        return Err(Failure::usage(format!(
            "--start {start} is above --max-concurrency {}",
            args.max_concurrency
        )));
    }
    let slo = slo(args);
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
        growth_stops: args.slo.is_empty(),
        resources_stop: args.slo.is_empty() && !args.ignore_resources,
    };
    let search = SearchConfig {
        rules,
        ladder: args.ladder.clone(),
        start: args.start.unwrap_or(FIRST_RUNG.min(args.max_concurrency)),
        most_streams: args.max_concurrency,
        level_time: args.level_time,
        budget: args.budget,
        headroom: args.headroom,
        first_request_time: UNKNOWN_REQUEST_TIME,
        ..SearchConfig::new(slo)
    };
    let workload = Workload {
        input_tokens: args.input_len,
        output_tokens: args.output_len,
        spread_ratio: args.length_spread,
        seed: args.seed,
    };
    let workers = machine::workers(args.max_concurrency, f64::INFINITY);
    Ok(Resolved {
        plan: run_plan(args, &search),
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
    })
}

/// The user's objectives, or the guide's: success and mean TTFT.
fn slo(args: &FindArgs) -> Slo {
    if args.slo.is_empty() {
        let ttft = Objective::ttft_mean(args.max_ttft.as_secs_f64() * 1e3);
        return Slo(vec![Objective::success(args.min_success), ttft]);
    }
    let given = args
        .slo
        .iter()
        .flat_map(|slo| slo.0.iter().copied())
        .collect();
    Slo(given).with_success_beside_means(args.min_success)
}

fn run_plan(args: &FindArgs, search: &SearchConfig) -> RunPlan {
    let target = match &args.url {
        Some(url) => url.clone(),
        None => format!("sim:{}", args.engine.profile),
    };
    RunPlan {
        target,
        // Known when the target is.
        proxy: None,
        slo: search.slo.clone(),
        slo_given: !args.slo.is_empty(),
        rules: search.rules,
        ladder: search.ladder.clone(),
        start: search.start,
        max_concurrency: search.most_streams,
        input_len_tokens: args.input_len,
        output_len_tokens: args.output_len,
        length_spread_ratio: args.length_spread,
        level_time_s: args.level_time.map(|time| time.as_secs_f64()),
        budget_s: args.budget.as_secs_f64(),
        timeout_s: args.timeout.as_secs_f64(),
        headroom_ratio: args.headroom,
        seed: args.seed,
        // Known to whoever reads the command line.
        arguments: Vec::new(),
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
