//! From what was typed to one level.

use std::time::Duration;

use plimsoll_core::check::CheckPlan;
use plimsoll_core::level::{Hold, LevelPlan, Load, Manner, OpenLoop, Purpose};
use plimsoll_core::slo::Slo;
use plimsoll_core::workload::Workload;
use plimsoll_load::target::Target;

use crate::cli::CheckArgs;
use crate::exit::Failure;
use crate::limits;
use crate::reach::Asked;

/// Until preflight has an estimate.
const UNKNOWN_REQUEST_TIME: Duration = Duration::from_secs(1);

fn load(args: &CheckArgs) -> Load {
    match (args.rate, args.concurrency) {
        (Some(rate), _) => Load::RatePerS(rate),
        (None, streams) => Load::Streams(streams.unwrap_or(1)),
    }
}

/// How many requests may be in flight: as the user says, or what the machine can hold, where a server
/// that answers nothing within the time limit would exceed that.
///
/// # Errors
/// The machine cannot hold what is asked for.
pub(super) fn most_in_flight(args: &CheckArgs, target: &Target) -> Result<Option<u32>, Failure> {
    if let Some(asked) = args.concurrency.or(args.cap) {
        limits::check(asked, target).map_err(Failure::usage)?;
        return Ok(args.cap);
    }
    let at_worst = args.rate.unwrap_or(0.0) * args.requests.timeout.as_secs_f64();
    Ok(limits::most(target).filter(|most| f64::from(*most) < at_worst))
}

pub(super) fn check_plan(args: &CheckArgs, asked: &Asked, slo: Slo) -> CheckPlan {
    let burstiness = args.burstiness;
    CheckPlan {
        target: asked.shown.clone(),
        proxy: asked.target.route.proxy.as_ref().map(ToString::to_string),
        slo,
        load: load(args),
        most_in_flight: args.cap,
        burstiness: burstiness.is_finite().then_some(burstiness),
        for_s: args.hold.as_secs_f64(),
        workload: args.lengths.workload.map(|named| named.name.to_owned()),
        input_len: asked.options.workload.input,
        output_len: asked.options.workload.output,
        timeout_s: args.requests.timeout.as_secs_f64(),
        seed: args.requests.seed,
    }
}

pub(super) fn level(
    args: &CheckArgs,
    workload: &Workload,
    most_in_flight: Option<u32>,
    request_time: Option<Duration>,
) -> LevelPlan {
    let request_time = request_time.unwrap_or(UNKNOWN_REQUEST_TIME);
    LevelPlan {
        index: 0,
        purpose: Purpose::Confirm,
        load: load(args),
        manner: Manner {
            redraw_seed: workload.is_lockstep().then_some(workload.seed),
            ..Manner::default()
        },
        open_loop: OpenLoop {
            burstiness: args.burstiness,
            most_in_flight,
            seed: args.requests.seed,
        },
        hold: if args.fail_fast {
            Hold::Confirm
        } else {
            Hold::Whole
        },
        request_time,
        longest_hold: args.hold,
        // What comes before the window has bounds of its own.
        longest: args.hold + args.requests.timeout * 4 + request_time * 4,
    }
}
