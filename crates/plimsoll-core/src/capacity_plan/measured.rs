//! What a finished run knows of a plan's inputs.

use std::collections::BTreeMap;

use super::in_flight::at_largest_rate;
use super::{OperatingPoint, RequestTime, TimeSource, TokensPerRequest};
use crate::level::LevelSummary;
use crate::run::Run;
use crate::verdict::PlannedMean;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Gateway cap, streams; `None` where the run has none to advise.
    pub cap_streams: Option<u32>,
    /// Tokens of a request, by the server's own `usage`.
    pub tokens_per_request: Option<TokensPerRequest>,
    /// Mean request time by load, s.
    times: BTreeMap<u32, f64>,
}

impl Measured {
    /// Reads a run.
    pub fn of(run: &Run) -> Self {
        let sound = || run.levels.iter().filter(|level| !level.says_nothing());
        let verdict = run.verdict.as_ref();
        Self {
            cap_streams: verdict.and_then(|verdict| verdict.recommended?.cap.streams()),
            tokens_per_request: sound()
                .max_by_key(|level| level.requests.completed_in_window)
                .and_then(tokens),
            // A load that was visited again stands with its last visit.
            // With think time the loads of a run are users, not requests in flight.
            times: sound()
                .filter(|_| run.plan.think_time_s.is_none())
                .filter_map(|level| Some((level.load.streams()?, level.e2e_ms.mean? / 1e3)))
                .collect(),
        }
    }

    /// Where a server with this cap works: at its planned mean, or below it where its throughput
    /// grows too little for that. `None` where the run has not tested such loads.
    pub fn operating_point(&self, cap_streams: u32, headroom_ratio: f64) -> Option<OperatingPoint> {
        let planned = PlannedMean::within(cap_streams, headroom_ratio).streams;
        let _ = self.time_at(f64::from(cap_streams))?;
        let completions = |n: u32| {
            let streams = f64::from(n);
            self.time_at(streams)
                .map_or(f64::MIN_POSITIVE, |(time_s, _)| streams / time_s)
        };
        let safe = at_largest_rate(cap_streams, &completions)?;
        if safe.mean_streams < planned {
            return Some(OperatingPoint {
                mean_streams: safe.mean_streams,
                request_time: RequestTime {
                    s: safe.mean_streams / safe.request_per_s,
                    source: TimeSource::Throughput,
                },
            });
        }
        let (s, (below, above)) = self.time_at(planned)?;
        Some(OperatingPoint {
            mean_streams: planned,
            request_time: RequestTime {
                s,
                source: TimeSource::Between(below, above),
            },
        })
    }

    /// The mean request time at a mean number in flight, on the line between the loads next to it,
    /// and these; `None` above the loads tested. Request times bend upwards with the load, so the
    /// line lies above them: the plan errs on the safe side. Below the lowest load stands its own.
    fn time_at(&self, streams: f64) -> Option<(f64, (u32, u32))> {
        let lowest = self.times.first_key_value()?;
        let streams = streams.max(f64::from(*lowest.0));
        let (below, below_s) = self
            .times
            .iter()
            .rfind(|(load, _)| f64::from(**load) <= streams)?;
        let (above, above_s) = self
            .times
            .iter()
            .find(|(load, _)| f64::from(**load) >= streams)?;
        let share = if above == below {
            0.0
        } else {
            (streams - f64::from(*below)) / f64::from(above - below)
        };
        Some((below_s + (above_s - below_s) * share, (*below, *above)))
    }
}

fn tokens(level: &LevelSummary) -> Option<TokensPerRequest> {
    let output = level.output_tokens_mean?;
    Some(TokensPerRequest {
        total: level.prompt_tokens_mean? + output,
        output: Some(output),
    })
}
