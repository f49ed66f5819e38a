//! From what was typed to one level.

use std::time::Duration;

use plimsoll_core::check::CheckPlan;
use plimsoll_core::level::{Hold, LevelPlan, LevelSettings, OpenLoop, Purpose};
use plimsoll_core::slo::Slo;
use plimsoll_core::workload::{ThinkTime, Workload};
use plimsoll_load::target::Target;

use super::held::Held;
use crate::asked::is_lockstep;
use crate::cli::CheckArgs;
use crate::exit::Failure;
use crate::{limits, reach};

/// Until preflight has an estimate.
const UNKNOWN_REQUEST_TIME: Duration = Duration::from_secs(1);

/// How many requests may be in flight: as the user says, or what the machine can hold, where a server
/// that answers nothing within the time limit would exceed that.
///
/// # Errors
/// The machine cannot hold what is asked for.
pub(super) fn most_in_flight(
    held: &Held,
    timeout: Duration,
    target: &Target,
) -> Result<Option<u32>, Failure> {
    if let Some(asked) = held.load.streams().or(held.cap) {
        limits::check(asked, target)?;
        return Ok(held.cap);
    }
    let at_worst = held.load.rate_per_s().unwrap_or(0.0) * timeout.as_secs_f64();
    Ok(limits::most(target).filter(|most| f64::from(*most) < at_worst))
}

/// What is asked for. The proxy is known when the target is.
pub(super) fn check_plan(
    args: &CheckArgs,
    held: &Held,
    workload: &Workload,
    slo: Slo,
) -> CheckPlan {
    let burstiness = args.burstiness;
    CheckPlan {
        target: reach::shown(&args.server, &args.engine),
        proxy: None,
        preset: args.preset,
        slo,
        load: held.load,
        most_in_flight: held.cap,
        burstiness: burstiness.is_finite().then_some(burstiness),
        for_s: held.time.as_secs_f64(),
        until_requests: held.until_requests,
        think_time_s: args.think.mean.map(|mean| mean.as_secs_f64()),
        think_time_is_fixed: args.think.is_fixed,
        workload: args.lengths.workload.map(|named| named.name.to_owned()),
        input_len: workload.input,
        output_len: workload.output,
        timeout_s: args.requests.timeout.as_secs_f64(),
        seed: args.requests.seed,
    }
}

fn settings(args: &CheckArgs, workload: &Workload) -> LevelSettings {
    let (seed, think) = (workload.seed, args.think);
    LevelSettings {
        redraw_seed: is_lockstep(workload, think).then_some(seed),
        think: think.mean.map(|mean| ThinkTime {
            mean,
            is_fixed: think.is_fixed,
            seed,
        }),
        ..LevelSettings::default()
    }
}

pub(super) fn level(
    args: &CheckArgs,
    (held, workload): (&Held, &Workload),
    most_in_flight: Option<u32>,
    request_time: Option<Duration>,
) -> LevelPlan {
    let request_time = request_time.unwrap_or(UNKNOWN_REQUEST_TIME);
    LevelPlan {
        index: 0,
        purpose: Purpose::Confirm,
        load: held.load,
        settings: settings(args, workload),
        open_loop: OpenLoop {
            burstiness: args.burstiness,
            most_in_flight,
            seed: args.requests.seed,
        },
        hold: match held.until_requests {
            Some(requests) => Hold::Requests(requests),
            None if args.fail_fast => Hold::Confirm,
            None => Hold::Whole,
        },
        request_time,
        longest_hold: held.time,
        // What comes before the window has bounds of its own.
        longest: held.time + args.requests.timeout * 4 + request_time * 4,
    }
}
