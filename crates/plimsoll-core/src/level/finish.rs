//! The end of a level: all that its summary is computed from is taken out of it here.

use std::time::Duration;

use super::summarise::Finished;
use super::{Alarm, ClientHealth, FinishedLevel, Level, hanging, silence};

use crate::judge::LevelSample;
use crate::stability::{self, Arrived, Stability};
use crate::telemetry::ServerWindow;
use crate::time::Offset;

impl Level {
    /// Closes the level at `now`: its summary, its records, and who is still in flight.
    pub fn finish(
        mut self,
        now: Offset,
        client: ClientHealth,
        server: Option<ServerWindow>,
    ) -> FinishedLevel {
        let request_seconds = self.ledger.stream_seconds(now) - self.area_at_window;
        let waiting_seconds = self.ledger.waiting_seconds(now) - self.waiting_at_window;
        let from = self.window_from.unwrap_or(now);
        let in_flight = self.ledger.in_flight();
        let draws = self.draws(from, now);
        // As long as the loop was late at its worst, what came may not have been read.
        let unread = client.loop_lag_ms.max.unwrap_or(0.0).max(0.0);
        let sample = LevelSample {
            unread: Duration::try_from_secs_f64(unread / 1e3).unwrap_or_default(),
            ..self.sample(from, now, &in_flight, &draws)
        };
        let alarms = self.alarms(&sample);
        let silence = silence::silence(&sample, self.started_at);
        let since_start = (self.started_at, silence);
        let quiet_since = silence::open_since(&self.slo, &sample, since_start);
        let within = |from| self.stability(from, now);
        let finished = Finished {
            plan: &self.plan,
            slo: &self.slo,
            started_at: self.started_at,
            window_from: self.window_from,
            sample,
            silence,
            quiet_since,
            counts: self.ledger.counts(from, now),
            itl_ms: self.itl_ms.summary_ms(),
            request_seconds,
            waiting_seconds,
            stability: self.window_from.and_then(within),
            alarms,
            is_screened: self.window_from.is_some() && self.is_screened(from, now),
            client,
            server,
        };
        let summary = finished.summarise();
        let (records, in_flight) = self.ledger.close();
        FinishedLevel {
            summary,
            records,
            in_flight,
            samples: Vec::new(),
        }
    }

    /// Whether the number of requests grew from `from` to `to`; `None` for streams.
    pub(super) fn stability(&self, from: Offset, to: Offset) -> Option<Stability> {
        let _ = self.plan.load.rate_per_s()?;
        stability::assess(&Arrived {
            ended: self.ledger.ended(),
            in_flight: &self.ledger.in_flight(),
            from,
            to,
            request_time: self.settled_time,
            dispersion: 1.0 / self.plan.open_loop.burstiness,
        })
    }

    fn alarms(&self, sample: &LevelSample<'_>) -> Vec<Alarm> {
        let series = self.series(sample.from, sample.to);
        let of_series = if sample.draws.is_empty() {
            series.alarms()
        } else {
            // Where phases are redrawn, the series changes with every draw.
            series.lockstep(sample.draws).into_iter().collect()
        };
        of_series.into_iter().chain(unanswered(sample)).collect()
    }
}

/// The alarm of requests that hang or stand still, among all that were sent on this level or carried
/// into it.
fn unanswered(sample: &LevelSample<'_>) -> Option<Alarm> {
    let hang = hanging::hanging(sample);
    let (requests, since) = hang.or_else(|| hanging::standing_still(sample))?;
    let in_flight = sample.in_flight.iter();
    let ended = sample.ended.iter();
    let sent = in_flight.filter(|one| one.sent.is_some()).count();
    Some(Alarm::Unanswered {
        requests,
        of: sent + ended.filter(|one| one.sent.is_some()).count(),
        longest_s: sample.to.since(since).as_secs_f64(),
    })
}
