//! What is asked of the server: lengths, think time and objectives, by name or one by one. What is
//! given one by one wins.

use plimsoll_core::preset::{Goal, InView};
use plimsoll_core::search::Ladder;
use plimsoll_core::slo::{Objective, Slo};
use plimsoll_core::workload::{LengthLaw, Workload};

use crate::cli::FindArgs;
use crate::exit::Failure;

/// Largest load where neither an option nor the workload says.
const MOST_STREAMS: u32 = 1_024;
/// The guide's lengths (guide.zh.md, method 1).
const INPUT_TOKENS: u32 = 512;
const OUTPUT_TOKENS: u32 = 128;
/// Lengths vary by at least this, since equal lengths put all streams into step.
const SPREAD_RATIO: f64 = 0.1;

/// The workload.
pub(super) fn workload(args: &FindArgs) -> Workload {
    let named = args.workload;
    Workload {
        input: law(
            named.map(|named| named.input),
            args.input_len,
            INPUT_TOKENS,
            args,
        ),
        output: law(
            named.map(|named| named.output),
            args.output_len,
            OUTPUT_TOKENS,
            args,
        ),
        seed: args.seed,
    }
}

fn law(named: Option<LengthLaw>, mean: Option<u32>, default: u32, args: &FindArgs) -> LengthLaw {
    let law = named.unwrap_or(LengthLaw::Uniform {
        mean_tokens: default,
        spread_ratio: SPREAD_RATIO,
    });
    let law = mean.map_or(law, |mean| law.with_mean(mean));
    match args.length_spread {
        Some(spread_ratio) => LengthLaw::Uniform {
            mean_tokens: law.mean_tokens(),
            spread_ratio,
        },
        None => law,
    }
}

/// The ramp's rungs: given, by the preset, or doubling.
pub(super) fn ladder(args: &FindArgs) -> Result<Ladder, Failure> {
    let Some(preset) = args.preset else {
        return Ok(args.ladder.clone().unwrap_or(Ladder::Doubling));
    };
    match preset.goal(InView::default()) {
        Ok(Goal::Search(guide)) => Ok(args.ladder.clone().unwrap_or(guide)),
        _ => Err(Failure::usage(format!(
            "--preset {preset} holds one load and searches for none"
        ))
        .hint(format!("plimsoll check --preset {preset}"))),
    }
}

/// The largest load: the guide's workloads have one of their own.
pub(super) fn most_streams(args: &FindArgs) -> u32 {
    let guide = args.workload.and_then(|named| named.guide);
    args.max_concurrency
        .or(guide.map(|guide| guide.max_concurrency))
        .unwrap_or(MOST_STREAMS)
}

/// The user's objectives or the workload's, and whether there are such; else the guide's, success
/// and mean TTFT.
pub(super) fn slo(args: &FindArgs) -> Result<(Slo, bool), Failure> {
    let given: Vec<Objective> = args
        .slo
        .iter()
        .flat_map(|slo| slo.0.iter().copied())
        .collect();
    let named = args.workload.and_then(|named| named.slo);
    let slo = match (given.is_empty(), named) {
        (false, _) => Slo(given),
        (true, Some(text)) => text
            .parse::<Slo>()
            .map_err(|error| Failure::usage(error.to_string()))?,
        (true, None) => {
            let ttft = Objective::ttft_mean(args.max_ttft.as_secs_f64() * 1e3);
            let slo = Slo(vec![Objective::success(args.min_success), ttft]);
            return Ok((slo, false));
        }
    };
    Ok((slo.with_success_beside_means(args.min_success), true))
}
