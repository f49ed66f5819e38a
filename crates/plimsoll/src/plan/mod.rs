//! `plimsoll plan`: users, streams, requests, servers and cost, from a run or from numbers.

use plimsoll_core::capacity_plan::{
    CapacityPlan, Inputs, Measured, RequestTime, Target, TimeSource, capacity_plan,
};
use plimsoll_core::run::Run;
use plimsoll_core::verdict::EXCEED;
use plimsoll_report::capacity_plan::render;
use plimsoll_report::lang::Lang;

use crate::cli::PlanArgs;
use crate::exit::Exit;
use crate::fault::{AskFault, Failure, Hint};
use crate::measure::Console;
use crate::output;
use crate::store::read_run;

/// The guide's 70–80 %.
const HEADROOM: f64 = 0.75;

/// Computes and prints.
pub(crate) fn run(args: &PlanArgs, lang: Lang) -> Result<Exit, Failure> {
    let run = args.from.as_deref().map(read_run).transpose()?;
    let plan = planned(args, run.as_ref())?;
    output::show(&plan, args.json, |plan, out| {
        render(plan, lang, Console::width(), out)
    })?;
    Ok(Exit::Done)
}

/// What follows from the arguments, and from a run where there is one.
pub(crate) fn planned(args: &PlanArgs, run: Option<&Run>) -> Result<CapacityPlan, Failure> {
    let plan = capacity_plan(&inputs(args, run)?);
    if plan.supply.is_none() && plan.demand.is_none() {
        return Err(Failure::from(AskFault::NothingToPlan).hint(Hint::WhatToPlan));
    }
    Ok(plan)
}

/// What was typed, and for the rest what the run measured.
fn inputs(args: &PlanArgs, run: Option<&Run>) -> Result<Inputs, Failure> {
    let measured = run.map(Measured::of);
    let headroom_ratio = args.headroom.or(run.and_then(headroom)).unwrap_or(HEADROOM);
    let cap_streams = args
        .cap
        .or(measured.as_ref().and_then(|measured| measured.cap_streams));
    if run.is_some() && cap_streams.is_none() {
        return Err(Failure::from(AskFault::NoCap).hint(Hint::GiveCap));
    }
    let typed = args.request_time.map(|time| RequestTime {
        s: time.as_secs_f64(),
        source: TimeSource::Given,
    });
    let point = match (&measured, cap_streams) {
        (Some(measured), Some(cap)) => measured.operating_point(cap, headroom_ratio),
        _ => None,
    };
    Ok(Inputs {
        cap_streams,
        headroom_ratio,
        exceed_ratio: measured
            .as_ref()
            .map_or(EXCEED, |measured| measured.exceed_ratio),
        queueing_mean_streams: point
            .filter(|point| point.queues)
            .map(|point| point.mean_streams),
        request_time: typed.or(point.map(|point| point.request_time)),
        think_time_s: args
            .think_time
            .map(|time| time.as_secs_f64())
            .or(run.and_then(|run| run.plan.user_think_time_s)),
        active_ratio: args.active_share,
        peak_factor: args.peak_factor,
        tokens_per_request: args.tokens_per_request.or(measured
            .as_ref()
            .and_then(|measured| measured.tokens_per_request)),
        gpu_price_per_h: args.gpu_price,
        gpus_per_server: args.gpus,
        target: target(args),
    })
}

/// The arguments allow one of them.
fn target(args: &PlanArgs) -> Option<Target> {
    let users = args.users.map(Target::Users);
    let rate = args.qps.map(Target::RequestPerS);
    let day = args.requests_per_day.map(Target::RequestPerDay);
    users.or(rate).or(day)
}

/// That of the search which the run was.
fn headroom(run: &Run) -> Option<f64> {
    run.plan.search().map(|search| search.headroom_ratio)
}
