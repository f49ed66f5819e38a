//! A level of the past under other objectives: from its requests, without a request being sent.
//! What does not depend on the objectives stays as it was.

use std::time::Duration;

use super::verdict::{delivered, lack, quiet};
use super::{LevelSummary, LevelVerdict, Reason, Window, hanging, is_screened, silence};
use crate::judge::{Confidence, LevelSample, Reading, judge};
use crate::record::{InFlight, RequestRecord};
use crate::schedule::Stretch;
use crate::slo::Slo;
use crate::time::Offset;

/// Judges a level again: `ended` are the requests that ended on it, `in_flight` those that it left
/// to the next one, both as the level knew them when it ended.
pub fn rejudge(
    level: &LevelSummary,
    (slo, confidence): (&Slo, Confidence),
    ended: &[RequestRecord],
    in_flight: &[InFlight],
) -> LevelSummary {
    let draws: Vec<Stretch> = level
        .draws
        .iter()
        .map(|draw| Stretch {
            from: offset(draw.from_s),
            to: offset(draw.to_s),
        })
        .collect();
    let sample = LevelSample {
        draws: &draws,
        ..sample(level, (slo, confidence), ended, in_flight)
    };
    let mut judged = level.clone();
    judged.objectives = judge(slo, &sample);
    // Other objectives may have what the first ones lacked, but the load stays as it was.
    // So it is with what the client was too late to tell.
    let may_be_told = matches!(
        level.reason,
        Some(Reason::MetricAbsent { .. } | Reason::InDoubt { .. })
    );
    if level.verdict == LevelVerdict::Void && !may_be_told {
        return judged;
    }
    (judged.verdict, judged.reason) = if let Some(reason) = lack(&judged.objectives) {
        (LevelVerdict::Void, Some(reason))
    } else {
        let is_screened = level.window.is_some() && is_screened(level.purpose, &sample);
        let since_start = (offset(level.started_s), level.silence);
        match silence::open_since(slo, &sample, since_start) {
            Some(since) => quiet(since),
            None => delivered(level.purpose.hold(), &judged, is_screened),
        }
    };
    judged
}

fn sample<'a>(
    level: &LevelSummary,
    (slo, confidence): (&Slo, Confidence),
    ended: &'a [RequestRecord],
    in_flight: &'a [InFlight],
) -> LevelSample<'a> {
    // Where a level ended before its window began nothing in it counts.
    let end = level.started_s + level.duration_s;
    let window = level.window.map(|window| (window.from_s, window.to_s));
    let (from_s, to_s) = window.unwrap_or((end, end));
    let (from, to) = (offset(from_s), offset(to_s));
    let request_time = level.window.map_or(Duration::ZERO, request_time);
    LevelSample {
        ended,
        in_flight,
        from,
        to,
        request_time,
        draws: &[],
        confidence,
        reading: Reading::Stamped,
        unread: offset(level.client.loop_lag_ms.max.unwrap_or(0.0) / 1e3).since(Offset::ZERO),
        hangs_after: Some(hanging::hangs_after(slo, ended, in_flight, request_time)),
    }
}

/// The mean request time that the window's length was divided by.
fn request_time(window: Window) -> Duration {
    let length = offset(window.to_s).since(offset(window.from_s));
    let seconds = length.as_secs_f64() / window.request_times;
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// Seconds of a file as the nanoseconds that they came from.
fn offset(seconds: f64) -> Offset {
    Offset::from_nanos((seconds * 1e9).round() as u64)
}
