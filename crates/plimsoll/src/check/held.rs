//! What is held: by a preset, by a workload with the guide's numbers, or by the options. What is
//! given one by one wins.

use std::time::Duration;

use plimsoll_core::level::Load;
use plimsoll_core::preset::{Goal, HeldLoad, InView, Preset, PresetLack};
use plimsoll_core::run::HoldPlan;

use crate::cli::CheckArgs;
use crate::fault::{AskFault, Failure, Hint};
use crate::measure::asked::example;

/// Where nothing says how long; also the longest wait for a number of requests.
const LONGEST: Duration = Duration::from_secs(600);

/// What the arguments hold.
///
/// # Errors
/// Something is lacking, or two things contradict each other.
pub(super) fn held(args: &CheckArgs) -> Result<HoldPlan, Failure> {
    contradictions(args)?;
    let by = match (args.preset, guides_numbers(args)) {
        (Some(preset), _) => by_preset(preset, args)?,
        (None, Some(guide)) => guide,
        (None, None) => by_options(args)?,
    };
    let held = planned(by, args);
    if held.load.streams().is_none() && args.think.mean.is_some() {
        return Err(Failure::from(AskFault::RateThinks).hint(Hint::ThinkingUsers));
    }
    Ok(held)
}

fn planned(held: HeldLoad, args: &CheckArgs) -> HoldPlan {
    let load = held
        .request_per_s
        .map_or_else(|| Load::Streams(held.streams.unwrap_or(1)), Load::RatePerS);
    let by_number = held.time().is_none() && args.hold.is_none();
    let time = args.hold.or(held.time()).unwrap_or(LONGEST);
    HoldPlan {
        load,
        most_in_flight: load.rate_per_s().and(args.cap.or(held.streams)),
        burstiness: args.burstiness.is_finite().then_some(args.burstiness),
        for_s: time.as_secs_f64(),
        until_requests: by_number.then_some(held.least_requests),
        fails_fast: args.fail_fast,
    }
}

/// What does not go together.
fn contradictions(args: &CheckArgs) -> Result<(), Failure> {
    let (rate, streams, cap) = (args.rate, args.concurrency, args.cap);
    let (fault, hint) = match (args.preset, rate, streams, cap) {
        (None, Some(_), Some(_), _) => (AskFault::TwoLoads, Hint::RateWithCap),
        (None, None, _, Some(_)) => (AskFault::CapWithoutRate, Hint::Streams),
        (Some(Preset::Quick), Some(_), ..) | (Some(Preset::Quick), .., Some(_)) => {
            (AskFault::QuickHasNoRate, Hint::RealisticRate)
        }
        (Some(Preset::Realistic), _, Some(_), _) => {
            (AskFault::RealisticHasNoStreams, Hint::RateWithCap)
        }
        _ => return Ok(()),
    };
    Err(Failure::from(fault).hint(hint))
}

/// The guide's numbers for a business, where no other load is given.
fn guides_numbers(args: &CheckArgs) -> Option<HeldLoad> {
    let is_alone = args.rate.or(args.concurrency.map(f64::from)).is_none();
    let guide = args.lengths.workload.and_then(|named| named.guide);
    guide.filter(|_| is_alone).map(HeldLoad::from)
}

fn by_preset(preset: Preset, args: &CheckArgs) -> Result<HeldLoad, Failure> {
    let view = InView {
        // Under a cap that is given no other is reckoned.
        streams: args.concurrency.or(args.cap),
        request_per_s: args.rate,
    };
    let lacking = match preset.goal(view) {
        Ok(Goal::Hold(hold)) => return Ok(hold),
        Ok(Goal::Search(_)) => AskFault::PresetSearches(preset),
        Err(PresetLack::Streams) => AskFault::PresetNeedsStreams { preset },
        Err(PresetLack::Rate) => AskFault::PresetNeedsRate(preset),
    };
    let example = example(preset, args.server.url.as_deref());
    Err(Failure::from(lacking).hint(Hint::Command(example)))
}

fn by_options(args: &CheckArgs) -> Result<HeldLoad, Failure> {
    if args.rate.is_none() && args.concurrency.is_none() {
        return Err(Failure::from(AskFault::NoLoad).hint(Hint::SomeRate));
    }
    Ok(HeldLoad {
        streams: args.concurrency,
        request_per_s: args.rate,
        least_requests: 0,
        least_time: LONGEST,
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_report::lang::Lang;

    use super::*;
    use crate::cli::{Cli, Command};

    fn of(line: &str) -> HoldPlan {
        let words = ["plimsoll", "check", "h:1"].into_iter();
        let typed: Vec<String> = words
            .chain(line.split_whitespace())
            .map(str::to_owned)
            .collect();
        match Cli::parse_in(&typed, Lang::En).unwrap().command {
            Command::Check(args) => held(&args).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The guide's row, and what an option beside it changes. 1 000 at 20 a second take
    /// (1 000 + 3 · √1 000) / 20 = 54.74 s, 2 000 take 106.71 s.
    #[test]
    fn options_win_over_the_preset_and_the_workload() {
        let table = [
            ("--preset quick", "10 streams for 600.0 s or 50"),
            (
                "--preset quick --concurrency 4 --for 9s",
                "4 streams for 9.0 s",
            ),
            ("--preset realistic --rate 20", "20 req/s for 54.7 s"),
            (
                "--preset realistic --rate 20 --max-concurrency 8",
                "20 req/s below 8 for 54.7 s",
            ),
            (
                "--preset capacity --rate 20 --concurrency 40",
                "20 req/s below 60 for 106.7 s",
            ),
            (
                "--preset capacity --rate 20 --max-concurrency 40",
                "20 req/s below 40 for 106.7 s",
            ),
            (
                "--preset soak --rate 20 --concurrency 40",
                "16 req/s below 32 for 3600.0 s",
            ),
            (
                "--preset soak --rate 20 --concurrency 40 --for 2h",
                "16 req/s below 32 for 7200.0 s",
            ),
            ("--workload guide:客服", "20 req/s below 50 for 54.7 s"),
            ("--workload guide:客服 --rate 5", "5 req/s for 600.0 s"),
            (
                "--workload guide:客服 --concurrency 5",
                "5 streams for 600.0 s",
            ),
            (
                "--rate 5 --max-concurrency 7 --for 1m",
                "5 req/s below 7 for 60.0 s",
            ),
        ];
        for (line, expected) in table {
            assert_eq!(text(&of(line)), expected, "{line}");
        }
    }

    fn text(held: &HoldPlan) -> String {
        let below = held.most_in_flight.map(|cap| format!(" below {cap}"));
        let or = held.until_requests.map(|count| format!(" or {count}"));
        format!(
            "{}{} for {:.1} s{}",
            held.load,
            below.unwrap_or_default(),
            held.for_s,
            or.unwrap_or_default()
        )
    }
}
