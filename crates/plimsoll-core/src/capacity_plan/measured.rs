//! What a finished run knows of a plan's inputs.

use super::{OperatingPoint, RequestTime, TimeSource, TokensPerRequest};
use crate::level::LevelSummary;
use crate::run::Run;
use crate::verdict::{RequestTimes, exceed_ratio};

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Gateway cap, streams; `None` where the run has none to advise.
    pub cap_streams: Option<u32>,
    /// Tokens of a request, by the server's own `usage`.
    pub tokens_per_request: Option<TokensPerRequest>,
    /// How much of the time more than the cap may be in flight, by the run's objectives, 0..1.
    pub exceed_ratio: f64,
    /// Mean request time by load.
    times: RequestTimes,
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
            exceed_ratio: exceed_ratio(&run.plan.slo),
            times: RequestTimes::of(&run.levels, run.plan.unit()),
        }
    }

    /// Where a server with this cap works, as the search that the run was would plan it. `None` where
    /// the run has not tested loads up to the cap.
    pub fn operating_point(&self, cap_streams: u32, headroom_ratio: f64) -> Option<OperatingPoint> {
        let at = self
            .times
            .operating(cap_streams, headroom_ratio, self.exceed_ratio)?;
        let (_, (below, above)) = self.times.at(at.mean_streams)?;
        Some(OperatingPoint {
            mean_streams: at.mean_streams,
            request_time: RequestTime {
                s: at.mean_streams / at.request_per_s,
                source: TimeSource::Between(below, above),
            },
            queues: at.queues,
        })
    }
}

fn tokens(level: &LevelSummary) -> Option<TokensPerRequest> {
    let output = level.output_tokens_mean?;
    Some(TokensPerRequest {
        total: level.prompt_tokens_mean? + output,
        output: Some(output),
    })
}
