//! What a level says, once it is over: the row of the table and the food of the search.

use serde::{Deserialize, Serialize};

use super::client::{self, ClientHealth};
use super::{
    Alarm, Answers, Hold, LevelPlan, Load, Purpose, Reason, RequestCounts, Shortfall, Silence,
};
use crate::judge::{Decision, LevelSample, ObjectiveResult, at_both_ends, conjunction, judge};
use crate::load::{Axis, LoadUnit};
use crate::outcome::Outcome;
use crate::record::{InFlight, RequestRecord};
use crate::schedule::Stretch;
use crate::slo::Slo;
use crate::stability::{Drift, Stability};
use crate::stats::{Summary, mean};
use crate::telemetry::ServerWindow;
use crate::time::Offset;

/// A shorter window, in mean request times, says nothing.
const LEAST_REQUEST_TIMES: f64 = 1.0;
/// More requests than this without the metric, and an objective on it says nothing.
const MOST_ABSENT: f64 = 0.2;

/// What a level says of the SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LevelVerdict {
    /// Nothing contradicts it yet: not a pass.
    Screened,
    /// Every objective is met, decided at 95 %.
    Pass,
    /// An objective is broken.
    Fail,
    /// The data do not decide.
    Undecided,
    /// The load was not delivered as asked: the level says nothing of the server.
    Void,
}

/// The stretch of time that counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    /// Start, seconds since the run's start.
    pub from_s: f64,
    /// End, seconds since the run's start.
    pub to_s: f64,
    /// Length in mean request times; figures of a window below 5 are rough.
    pub request_times: f64,
}

impl Window {
    /// Its length, s.
    pub(super) fn length_s(self) -> f64 {
        self.to_s - self.from_s
    }
}

/// What counts of one draw of the streams' phases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Draw {
    /// Start, seconds since the run's start.
    pub from_s: f64,
    /// End, seconds since the run's start.
    pub to_s: f64,
}

impl Draw {
    fn of(stretch: Stretch) -> Self {
        Self {
            from_s: stretch.from.as_secs_f64(),
            to_s: stretch.to.as_secs_f64(),
        }
    }
}

/// One level, summarised. Rates and latencies are of the window alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LevelSummary {
    /// Index within the run.
    pub index: u32,
    /// Why it was run.
    pub purpose: Purpose,
    /// Place of the tier that it was held for, from 0; `None` where the run has one SLO. Tiers share
    /// their levels, and the run file has each as the first one judges it.
    pub tier: Option<u32>,
    /// What was put on the server.
    pub load: Load,
    /// What it says of the SLO.
    pub verdict: LevelVerdict,
    /// Why it fails, is not decided, or is void, where there is more to say than the verdict.
    pub reason: Option<Reason>,
    /// Start of the level, seconds since the run's start.
    pub started_s: f64,
    /// Length of the level with its handover, s.
    pub duration_s: f64,
    /// What counts; `None` if the level ended before it began.
    pub window: Option<Window>,
    /// Counts of the whole level.
    pub requests: RequestCounts,
    /// Completed / (completed + failed) within the window.
    pub success_ratio: Option<f64>,
    /// Completed requests per second.
    pub request_per_s: Option<f64>,
    /// Streamed output tokens of completed requests per second.
    pub output_tokens_per_s: Option<f64>,
    /// Prompt tokens by the server's `usage`, mean.
    pub prompt_tokens_mean: Option<f64>,
    /// Streamed output tokens of completed requests, mean.
    pub output_tokens_mean: Option<f64>,
    /// Coefficient of variation of the same: standard deviation over mean.
    pub output_tokens_cv_ratio: Option<f64>,
    /// What was asked of completed requests, and what is odd about their answers.
    #[serde(default)]
    pub answers: Answers,
    /// Time to first token.
    pub ttft_ms: Summary,
    /// Time per output token.
    pub tpot_ms: Summary,
    /// Gaps between output events, pooled.
    pub itl_ms: Summary,
    /// Whole requests.
    pub e2e_ms: Summary,
    /// Largest gap of each request.
    pub stall_ms: Summary,
    /// Tokens per second of one stream.
    pub speed_tok_per_s: Summary,
    /// Whether the number of requests grew; `None` for streams, whose number is fixed.
    pub stability: Option<Stability>,
    /// Each objective.
    pub objectives: Vec<ObjectiveResult>,
    /// Where the phases of the streams were redrawn: what counts of each draw.
    pub draws: Vec<Draw>,
    /// What the series of the window say against it, and requests that hang.
    pub alarms: Vec<Alarm>,
    /// Since when nothing was answered; `None` if the server was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// The client's own health.
    pub client: ClientHealth,
    /// The server's signals, where it has metrics.
    pub server: Option<ServerWindow>,
}

impl LevelSummary {
    /// What its figures are of: the window, or all of it where it ended before one began.
    pub fn span(&self) -> (Offset, Offset) {
        match self.window {
            Some(window) => (
                Offset::from_secs_f64(window.from_s),
                Offset::from_secs_f64(window.to_s),
            ),
            None => (Offset::from_secs_f64(self.started_s), self.ended_at()),
        }
    }

    /// When it ended.
    pub fn ended_at(&self) -> Offset {
        Offset::from_secs_f64(self.started_s + self.duration_s)
    }

    /// Whether its load counts what the run's loads count. Beside them a run has a baseline, whose
    /// stream does not think, and by rate streams that find out what the server is able to.
    pub fn counts(&self, unit: LoadUnit) -> bool {
        match unit {
            LoadUnit::Streams => self.load.axis() == Axis::Streams,
            LoadUnit::Users => {
                self.load.axis() == Axis::Streams && self.purpose != Purpose::Baseline
            }
            LoadUnit::RatePerS => self.load.axis() == Axis::Rate,
        }
    }

    /// Whether it says nothing of the server: void, ended before it could be screened, or without
    /// an observation of some objective. A level that is known to fail says enough.
    pub fn says_nothing(&self) -> bool {
        match self.verdict {
            LevelVerdict::Void => true,
            LevelVerdict::Fail => false,
            // Ended before it could be screened.
            LevelVerdict::Undecided
                if matches!(
                    self.purpose,
                    Purpose::Baseline | Purpose::Ramp | Purpose::Bisect
                ) =>
            {
                true
            }
            _ => {
                self.window
                    .is_none_or(|window| window.request_times < LEAST_REQUEST_TIMES)
                    || self.objectives.iter().any(|result| result.n == 0)
            }
        }
    }

    /// Whether more arrived than was carried, so that the number of requests grew.
    pub fn is_unstable(&self) -> bool {
        self.stability
            .is_some_and(|stability| stability.drift == Drift::Unstable)
    }

    /// Whether no server was there any more at its end: since a moment nothing was answered, or
    /// nothing at all, and connections were refused.
    pub fn shows_no_server(&self) -> bool {
        if self.silence.is_some() {
            return true;
        }
        let count = |key: &str| self.requests.outcomes.get(key).copied().unwrap_or(0);
        self.requests.completed_in_window == 0 && count("connect") > count("completed")
    }

    /// Whether it is void because the load was not delivered as asked.
    pub fn is_clients_fault(&self) -> bool {
        self.verdict == LevelVerdict::Void
            && !self.objectives.iter().any(lacks_its_metric)
            && !self
                .load
                .streams()
                .is_some_and(|streams| client::is_slow_to_accept(streams, &self.client))
    }

    /// Whether it is void because the client was late, by the machine that it runs on: another try
    /// may find it on time.
    pub fn is_by_lateness(&self) -> bool {
        let by = match self.reason {
            Some(Reason::InDoubt { .. }) => true,
            Some(Reason::Undelivered { shortfall }) => matches!(
                shortfall,
                Shortfall::SendLag { .. }
                    | Shortfall::LoopLag { .. }
                    | Shortfall::SharedStamps { .. }
                    | Shortfall::Paused { .. }
                    | Shortfall::HeldArrivals { .. }
                    | Shortfall::MissingStreams { .. }
            ),
            _ => false,
        };
        self.verdict == LevelVerdict::Void && by && !self.client.is_at_its_limit()
    }

    /// The requests that hang at its end, as a reason.
    fn unanswered(&self) -> Option<Reason> {
        self.alarms.iter().find_map(|alarm| match *alarm {
            Alarm::Unanswered {
                requests,
                of,
                longest_s,
            } => Some(Reason::Unanswered {
                requests,
                of,
                longest_s,
            }),
            _ => None,
        })
    }

    /// Whether it is known, or looks, to break the SLO.
    pub fn is_broken(&self) -> bool {
        match self.verdict {
            LevelVerdict::Fail => true,
            LevelVerdict::Undecided => self
                .objectives
                .iter()
                .any(|one| one.looks_broken() == Some(true)),
            _ => false,
        }
    }
}

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
    /// Time integrals over the window of the requests in flight and of those that waited.
    pub(super) request_seconds: f64,
    pub(super) waiting_seconds: f64,
    pub(super) stability: Option<Stability>,
    pub(super) alarms: Vec<Alarm>,
    pub(super) silence: Option<Silence>,
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
            itl_ms: Summary::of(figures.itl_ms),
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
        (summary.verdict, summary.reason) = verdict(self.plan, &summary, self.is_screened);
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

/// The level's verdict, and the objective or the fault behind it.
fn verdict(
    plan: &LevelPlan,
    summary: &LevelSummary,
    is_screened: bool,
) -> (LevelVerdict, Option<Reason>) {
    let said = || delivered(plan.hold, summary, is_screened);
    match void_reason(plan, summary) {
        // What fewer streams than asked break, all of them break.
        Some(reason) if reason.is_too_few_streams() && said().0 == LevelVerdict::Fail => said(),
        Some(reason) => (LevelVerdict::Void, Some(reason)),
        None => said(),
    }
}

/// What a level says whose load was delivered as asked: void where it says the contrary at the two
/// ends of its stamps, and not decided where one of them decides.
pub(super) fn delivered(
    hold: Hold,
    summary: &LevelSummary,
    is_screened: bool,
) -> (LevelVerdict, Option<Reason>) {
    let [best, worst] = at_both_ends(&summary.objectives)
        .map(|objectives| read(hold, summary, &objectives, is_screened));
    if best.0 == worst.0 {
        return worst;
    }
    let reason = in_doubt(&summary.objectives).or(worst.1);
    if [best.0, worst.0].contains(&LevelVerdict::Undecided) {
        (LevelVerdict::Undecided, reason)
    } else {
        (LevelVerdict::Void, reason)
    }
}

/// The first objective that comes to something else at the two ends of the stamps.
fn in_doubt(objectives: &[ObjectiveResult]) -> Option<Reason> {
    objectives.iter().find_map(|one| {
        let doubt = one.doubt?;
        let differs = doubt.best.decision != doubt.worst.decision
            || doubt.best.screen_breaks != doubt.worst.screen_breaks;
        differs.then_some(Reason::InDoubt {
            objective: one.objective,
            best: doubt.best.value,
            worst: doubt.worst.value,
        })
    })
}

/// What a level says by its objectives as they are at one end of the stamps.
fn read(
    hold: Hold,
    summary: &LevelSummary,
    objectives: &[ObjectiveResult],
    is_screened: bool,
) -> (LevelVerdict, Option<Reason>) {
    let broken = |result: &&ObjectiveResult| match hold {
        Hold::Screen | Hold::Short => result.screen_breaks || result.decision == Decision::Fail,
        Hold::Visit | Hold::Decide | Hold::Whole | Hold::Confirm | Hold::Requests(_) => {
            result.decision == Decision::Fail
        }
    };
    if let Some(result) = objectives.iter().find(broken) {
        return (LevelVerdict::Fail, Some(result.objective.into()));
    }
    if summary.is_unstable() {
        return (LevelVerdict::Fail, Some(Reason::Grows));
    }
    let ended = summary.requests.completed_in_window + summary.requests.failed_in_window;
    if summary.window.is_none() || ended == 0 {
        let reason = summary.unanswered().unwrap_or(Reason::NoRequestEnded);
        return (LevelVerdict::Undecided, Some(reason));
    }
    let unanswered = summary.unanswered();
    match (hold, conjunction(objectives)) {
        (_, Decision::Pass) if unanswered.is_some() => (LevelVerdict::Undecided, unanswered),
        (_, Decision::Pass) => (LevelVerdict::Pass, None),
        (Hold::Screen | Hold::Short, _) if is_screened => (LevelVerdict::Screened, None),
        (Hold::Screen | Hold::Short, _) => (LevelVerdict::Undecided, Some(Reason::NotScreened)),
        (Hold::Visit | Hold::Decide | Hold::Whole | Hold::Confirm | Hold::Requests(_), _) => {
            (LevelVerdict::Undecided, unanswered)
        }
    }
}

/// Why the level says nothing of the server; `None` if the load was delivered as asked.
fn void_reason(plan: &LevelPlan, summary: &LevelSummary) -> Option<Reason> {
    let shortfall = client::shortfall(plan, summary).map(Reason::from);
    shortfall.or_else(|| lack(&summary.objectives))
}

/// Which objective has too few requests with its metric.
pub(super) fn lack(objectives: &[ObjectiveResult]) -> Option<Reason> {
    let result = objectives.iter().find(|result| lacks_its_metric(result))?;
    Some(Reason::MetricAbsent {
        objective: result.objective,
        absent: result.absent,
        of: result.absent + result.n,
    })
}

/// Whether too many requests have no such value for the objective to say anything.
fn lacks_its_metric(result: &ObjectiveResult) -> bool {
    result.absent as f64 > MOST_ABSENT * (result.absent + result.n) as f64
}

/// The values of a window, by metric.
#[derive(Default)]
struct Figures {
    send_lag_ms: Vec<f64>,
    ttft_ms: Vec<f64>,
    tpot_ms: Vec<f64>,
    itl_ms: Vec<f64>,
    e2e_ms: Vec<f64>,
    stall_ms: Vec<f64>,
    speed_tok_per_s: Vec<f64>,
    prompt_tokens: Vec<f64>,
    output_tokens: Vec<f64>,
}

impl Figures {
    fn of(ended: &[RequestRecord], in_flight: &[InFlight], from: Offset, to: Offset) -> Self {
        let mut figures = Self::default();
        let within = |at: Offset| at >= from && at <= to;
        for record in ended
            .iter()
            .filter(|record| record.outcome != Outcome::NeverSent)
        {
            if within(record.due) {
                figures.send_lag_ms.extend(record.lateness_ms());
            }
            if record.outcome.is_completed() && record.first().is_some_and(within) {
                figures.ttft_ms.extend(record.ttft_ms());
            }
            if record.outcome.is_completed() && within(record.done) {
                figures.add_completed(record);
            }
        }
        for request in in_flight {
            if within(request.due) {
                let late = request.sent.map(|sent| sent.ms_since(request.ready));
                figures.send_lag_ms.extend(late);
            }
            let first = request.first.filter(|first| within(*first));
            if let (Some(first), Some(start)) = (first, request.start()) {
                figures.ttft_ms.push(first.ms_since(start));
            }
        }
        figures
    }

    fn add_completed(&mut self, record: &RequestRecord) {
        self.tpot_ms.extend(record.tpot_ms());
        self.itl_ms.extend(record.gaps().map(|(_, gap)| gap));
        self.e2e_ms.extend(record.e2e_ms());
        self.stall_ms.extend(record.stall_ms());
        self.speed_tok_per_s.extend(record.speed_tok_per_s());
        self.prompt_tokens
            .extend(record.prompt_tokens.map(f64::from));
        self.output_tokens
            .extend(record.output_tokens().map(|(tokens, _)| f64::from(tokens)));
    }
}
