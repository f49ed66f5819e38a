//! What is held: by a preset, by a workload with the guide's numbers, or by the options. What is
//! given one by one wins.

use std::time::Duration;

use plimsoll_core::level::Load;
use plimsoll_core::preset::{Goal, Hold, InView, Preset, PresetError};

use crate::asked::example;
use crate::cli::CheckArgs;
use crate::exit::Failure;

/// Where nothing says how long; also the longest wait for a number of requests.
const LONGEST: Duration = Duration::from_secs(600);

/// One load, and its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Held {
    pub(super) load: Load,
    /// Where the load is a rate: no more in flight.
    pub(super) cap: Option<u32>,
    /// Length of the window, at most.
    pub(super) time: Duration,
    /// It ends when so many requests have ended.
    pub(super) until_requests: Option<u64>,
}

impl Held {
    /// # Errors
    /// Something is lacking, or two things contradict each other.
    pub(super) fn of(args: &CheckArgs) -> Result<Self, Failure> {
        contradictions(args)?;
        let by = match (args.preset, guides_numbers(args)) {
            (Some(preset), _) => by_preset(preset, args)?,
            (None, Some(guide)) => guide,
            (None, None) => by_options(args)?,
        };
        let held = Self::from_hold(by, args);
        if held.load.streams().is_none() && args.think.mean.is_some() {
            return Err(Failure::usage(
                "--think-time is of streams, and a rate of arrivals has none",
            )
            .hint("give the number of users: --concurrency N --think-time 60s"));
        }
        Ok(held)
    }

    fn from_hold(hold: Hold, args: &CheckArgs) -> Self {
        let load = hold
            .request_per_s
            .map_or_else(|| Load::Streams(hold.streams.unwrap_or(1)), Load::RatePerS);
        let by_number = hold.time().is_none() && args.hold.is_none();
        Self {
            load,
            cap: load.rate_per_s().and(args.cap.or(hold.streams)),
            time: args.hold.or(hold.time()).unwrap_or(LONGEST),
            until_requests: by_number.then_some(hold.least_requests),
        }
    }
}

/// What does not go together.
fn contradictions(args: &CheckArgs) -> Result<(), Failure> {
    let (rate, streams, cap) = (args.rate, args.concurrency, args.cap);
    let (text, hint) = match (args.preset, rate, streams, cap) {
        (None, Some(_), Some(_), _) => (
            "--rate and --concurrency are two loads, and one is held",
            "for a rate with at most N in flight: --rate R --max-concurrency N",
        ),
        (None, None, _, Some(_)) => (
            "--max-concurrency is the cap of a rate, and there is no --rate",
            "for N streams: --concurrency N",
        ),
        (Some(Preset::Quick), Some(_), ..) | (Some(Preset::Quick), .., Some(_)) => (
            "--preset quick sends as it is answered: neither --rate nor --max-concurrency goes with it",
            "for a rate: --preset realistic --rate R",
        ),
        (Some(Preset::Realistic), _, Some(_), _) => (
            "--preset realistic holds a rate, and --concurrency goes with none",
            "for a rate with at most N in flight: --rate R --max-concurrency N",
        ),
        _ => return Ok(()),
    };
    Err(Failure::usage(text).hint(hint))
}

/// The guide's numbers for a business, where no other load is given.
fn guides_numbers(args: &CheckArgs) -> Option<Hold> {
    let is_alone = args.rate.or(args.concurrency.map(f64::from)).is_none();
    let guide = args.lengths.workload.and_then(|named| named.guide);
    guide.filter(|_| is_alone).map(Hold::from)
}

fn by_preset(preset: Preset, args: &CheckArgs) -> Result<Hold, Failure> {
    let view = InView {
        // Under a cap that is given no other is reckoned.
        streams: args.concurrency.or(args.cap),
        request_per_s: args.rate,
    };
    let lacking = match preset.goal(view) {
        Ok(Goal::Hold(hold)) => return Ok(hold),
        Ok(Goal::Search(_)) => format!("--preset {preset} searches for a load and holds none"),
        Err(PresetError::NoStreams(_)) if preset == Preset::Soak => {
            format!("--preset {preset} needs --concurrency: the best that `plimsoll find` gave")
        }
        Err(PresetError::NoStreams(_)) => {
            format!("--preset {preset} needs --concurrency: the streams you aim for")
        }
        Err(PresetError::NoRate(_)) => {
            format!("--preset {preset} needs --rate: the requests per second you expect")
        }
        Err(error @ PresetError::Unknown) => error.to_string(),
    };
    Err(Failure::usage(lacking).hint(example(preset, args.server.url.as_deref())))
}

fn by_options(args: &CheckArgs) -> Result<Hold, Failure> {
    if args.rate.is_none() && args.concurrency.is_none() {
        return Err(
            Failure::usage("there is no load: give --rate or --concurrency")
                .hint("for 20 requests per second: --rate 20; or see --preset"),
        );
    }
    Ok(Hold {
        streams: args.concurrency,
        request_per_s: args.rate,
        least_requests: 0,
        least_time: LONGEST,
    })
}
