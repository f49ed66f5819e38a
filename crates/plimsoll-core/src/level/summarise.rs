//! From a level at its end to its summary.

use super::figures::Figures;
use super::verdict::verdict;
use super::{
    Alarm, Answers, ClientHealth, Draw, LevelPlan, LevelSummary, LevelVerdict, RequestCounts,
    Silence, Window,
};
use crate::judge::{LevelSample, judge};
use crate::slo::Slo;
use crate::stability::Stability;
use crate::stats::{Summary, mean};
use crate::telemetry::ServerWindow;
use crate::time::Offset;

/// A level at its end, with all that its summary is computed from.
pub(super) struct Finished<'a> {
    pub(super) plan: &'a LevelPlan,
    pub(super) slo: &'a Slo,
    pub(super) started_at: Offset,
    /// When the window began; `None` if the level ended before.
    pub(super) window_from: Option<Offset>,
    /// The requests of the window, which ends with the level; of no time where there was none.
    pub(super) sample: LevelSample<'a>,
    pub(super) counts: RequestCounts,
    /// The gaps between the outputs of what completed in the window.
    pub(super) itl_ms: Summary,
    /// Time integrals over the window of the requests in flight and of those that waited.
    pub(super) request_seconds: f64,
    pub(super) waiting_seconds: f64,
    pub(super) stability: Option<Stability>,
    pub(super) alarms: Vec<Alarm>,
    pub(super) silence: Option<Silence>,
    /// Since when nothing came, where it is not known that the server is silent.
    pub(super) quiet_since: Option<Offset>,
    /// Whether the window was long enough for a screened level.
    pub(super) is_screened: bool,
    pub(super) client: ClientHealth,
    pub(super) server: Option<ServerWindow>,
}

impl Finished<'_> {
    pub(super) fn summarise(self) -> LevelSummary {
        let sample = &self.sample;
        let figures = Figures::of(sample.ended, sample.in_flight, sample.from, sample.to);
        let (completed, failed) = (
            self.counts.completed_in_window,
            self.counts.failed_in_window,
        );
        let ended = completed + failed;
        let mut summary = LevelSummary {
            index: self.plan.index,
            purpose: self.plan.purpose,
            tier: None,
            load: self.plan.load,
            verdict: LevelVerdict::Undecided,
            reason: None,
            started_s: self.started_at.as_secs_f64(),
            duration_s: sample.to.since(self.started_at).as_secs_f64(),
            window: self.window(),
            success_ratio: (ended > 0).then(|| completed as f64 / ended as f64),
            request_per_s: self.per_second(completed as f64),
            // The sum of nothing is -0.
            output_tokens_per_s: self.per_second(figures.output_tokens.iter().sum::<f64>() + 0.0),
            prompt_tokens_mean: mean(&figures.prompt_tokens),
            output_tokens_mean: mean(&figures.output_tokens),
            output_tokens_cv_ratio: variation(&figures.output_tokens),
            answers: Answers::of(sample.ended.iter().filter(|record| {
                let is_within = record.done >= sample.from && record.done <= sample.to;
                record.outcome.is_completed() && is_within
            })),
            requests: self.counts.clone(),
            ttft_ms: Summary::of(figures.ttft_ms),
            tpot_ms: Summary::of(figures.tpot_ms),
            itl_ms: self.itl_ms,
            e2e_ms: Summary::of(figures.e2e_ms),
            stall_ms: Summary::of(figures.stall_ms),
            speed_tok_per_s: Summary::of(figures.speed_tok_per_s),
            stability: self.stability,
            objectives: judge(self.slo, sample),
            draws: sample.draws.iter().copied().map(Draw::of).collect(),
            client: ClientHealth {
                achieved_concurrency: self.per_second(self.request_seconds),
                waiting_concurrency: self.per_second(self.waiting_seconds),
                send_lag_ms: Summary::of(figures.send_lag_ms),
                ..self.client.clone()
            },
            alarms: self.alarms,
            silence: self.silence,
            server: self.server,
        };
        (summary.verdict, summary.reason) =
            verdict(self.plan, &summary, (self.is_screened, self.quiet_since));
        summary
    }

    /// Length of the window, s; 0 if none began.
    fn window_s(&self) -> f64 {
        let length = |from| self.sample.to.since(from).as_secs_f64();
        self.window_from.map_or(0.0, length)
    }

    fn window(&self) -> Option<Window> {
        let from = self.window_from?;
        Some(Window {
            from_s: from.as_secs_f64(),
            to_s: self.sample.to.as_secs_f64(),
            request_times: self.window_s() / self.sample.request_time.as_secs_f64(),
        })
    }

    /// What the window has of something, by its length; `None` if it has no length.
    fn per_second(&self, sum: f64) -> Option<f64> {
        let window_s = self.window_s();
        (window_s > 0.0).then(|| sum / window_s)
    }
}

/// Standard deviation over mean; `None` below two values, or if they are 0.
fn variation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|mean| *mean > 0.0)?;
    Some(crate::stats::variance(values)?.sqrt() / mean)
}
