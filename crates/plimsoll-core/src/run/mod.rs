//! The run file and the stream of events it is built from. Replaying a saved event log gives the
//! same run.

mod event;
#[cfg(test)]
pub(crate) mod fixture;
mod format;
mod plan;
mod v1;

pub use event::RunEvent;
pub use format::{Format, UnknownVersion};
pub use plan::{
    BodyPlan, Connection, EngineOverrides, EnginePlan, Goal, HoldPlan, MOST_RUN_S, RunPlan,
    SearchPlan, is_possible_time,
};
use serde::{Deserialize, Serialize};

use crate::check::CheckAnswer;
use crate::level::LevelSummary;
use crate::protocol::{Feature, PromptForm, Protocol};
use crate::slo::Slo;
use crate::tier::TierVerdict;
use crate::verdict::Verdict;

/// Version of the run file's meaning; raised when a field changes what it says.
pub const SCHEMA_VERSION: u32 = 2;

/// The machine that drove the load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Environment {
    /// Version of this tool.
    pub plimsoll_version: String,
    /// Operating system and architecture.
    pub platform: String,
    /// CPUs this process may use.
    pub cpus: u32,
    /// Open files allowed, after raising the limit.
    pub open_files_limit: Option<u64>,
    /// Where receive stamps come from: `kernel` or `user`.
    pub receive_stamps: String,
    /// Worker threads that drove the load.
    pub workers: u32,
}

/// The version of HTTP that the load was carried in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum HttpVersion {
    /// HTTP/1.1: a connection for each request in flight.
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2: many requests share a connection.
    #[serde(rename = "2")]
    Http2,
}

/// What preflight found out about the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerInfo {
    /// The base address used.
    pub url: String,
    /// The version of HTTP it is spoken to in.
    #[serde(default)]
    pub http: HttpVersion,
    /// Kind by its own words: `vllm`, `llama.cpp`, `sglang` …; `None` where it does not say.
    pub kind: Option<String>,
    /// Model name sent in requests.
    pub model: String,
    /// The longest context it states, tokens.
    pub max_model_len_tokens: Option<u32>,
    /// Which API is used.
    pub endpoint: Protocol,
    /// Whether it reports token usage.
    pub reports_usage: bool,
    /// Whether answers have the length asked for: that of preflight, and those of all levels; `None`
    /// where the first took too long to tell.
    pub honours_output_len: Option<bool>,
    /// How prompts are made.
    pub prompt_form: PromptForm,
    /// Mean prompt length in the server's own tokens, as measured by preflight.
    pub prompt_tokens_measured: Option<f64>,
    /// Whether its `/metrics` are known here.
    pub has_metrics: bool,
    /// What it does not take of a request, so that it is not sent.
    #[serde(default)]
    pub left_out: Vec<Feature>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It is running, or was killed.
    Running,
    /// It came to its end.
    Finished,
    /// It was interrupted; what it had is kept.
    Partial,
}

/// That a run was resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resumption {
    /// UTC time, RFC 3339.
    pub started_utc: String,
    /// Where its clock went on, seconds since the run's start.
    pub at_s: f64,
    /// The first level after it.
    pub next_level: u32,
}

/// That a run was judged again under other objectives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rejudged {
    /// The objectives that it was run under.
    pub slo: Slo,
}

/// A run: `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Run {
    /// Version of the meaning of this file.
    pub schema_version: u32,
    /// UTC time of the start, RFC 3339.
    pub started_utc: String,
    /// How it ended.
    pub state: RunState,
    /// What was asked for.
    pub plan: RunPlan,
    /// The machine that drove the load.
    pub environment: Environment,
    /// The server.
    pub server: ServerInfo,
    /// The levels, in the order run.
    pub levels: Vec<LevelSummary>,
    /// How often it was resumed, and where.
    pub resumptions: Vec<Resumption>,
    /// Set where the levels and the answer are by other objectives than the run was steered by.
    pub rejudged: Option<Rejudged>,
    /// The answer of a search; `None` while it is running. With tiers it is that of the first.
    pub verdict: Option<Verdict>,
    /// The answers of all tiers, in their order; `verdict` is that of the first. Empty where there
    /// are none, and while it is running.
    pub tiers: Vec<TierVerdict>,
    /// The answer of a load that was held; `None` while it is running.
    pub check: Option<CheckAnswer>,
}

impl Run {
    /// Builds a run from its events; `None` if the first is not [`RunEvent::RunStarted`].
    pub fn replay(events: impl IntoIterator<Item = RunEvent>) -> Option<Self> {
        let mut events = events.into_iter();
        let mut run = Self::begin(events.next()?)?;
        for event in events {
            run.apply(event);
        }
        Some(run)
    }

    /// Starts a run from its first event.
    pub fn begin(event: RunEvent) -> Option<Self> {
        match event {
            RunEvent::RunStarted {
                schema_version,
                started_utc,
                plan,
                environment,
                server,
            } => Some(Self {
                schema_version,
                started_utc,
                state: RunState::Running,
                plan: *plan,
                environment,
                server: *server,
                levels: Vec::new(),
                resumptions: Vec::new(),
                rejudged: None,
                verdict: None,
                tiers: Vec::new(),
                check: None,
            }),
            _ => None,
        }
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: RunEvent) {
        match event {
            RunEvent::LevelFinished { level, .. } | RunEvent::LevelCut { level } => {
                // Preflight looks at one answer.
                if level.has_other_outputs() == Some(true) {
                    self.server.honours_output_len = Some(false);
                }
                self.levels.push(*level);
            }
            RunEvent::Resumed {
                started_utc,
                at_s,
                next_level,
                budget_s,
                ..
            } => {
                if let (Some(budget_s), Goal::Search(search)) = (budget_s, &mut self.plan.goal) {
                    search.budget_s = budget_s;
                }
                self.levels.retain(|level| level.index < next_level);
                self.state = RunState::Running;
                self.verdict = None;
                self.tiers.clear();
                self.check = None;
                self.resumptions.push(Resumption {
                    started_utc,
                    at_s,
                    next_level,
                });
            }
            RunEvent::RunFinished {
                state,
                verdict,
                tiers,
            } => {
                self.state = state;
                self.tiers = tiers;
                self.verdict = Some(*verdict);
            }
            RunEvent::CheckFinished { state, answer } => {
                self.state = state;
                self.check = Some(*answer);
            }
            RunEvent::RunStarted { .. } | RunEvent::LevelStarted { .. } => {}
        }
    }
}

/// A text in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sentences {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

/// What stands in `run.json`: the run, and its answer in words. The words are made from the run, so
/// no event has them, and nothing reads them back.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Run"))]
pub struct RunFile<'a> {
    /// The run.
    #[serde(flatten)]
    pub run: &'a Run,
    /// The answer in a few sentences; `None` while the run is going on.
    pub sentences: Option<Sentences>,
}

/// The JSON Schema of [`RunFile`].
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(RunFile<'static>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Load;
    use crate::search::tests::level;

    #[test]
    fn answers_of_another_length_contradict_what_preflight_saw() {
        let hold = fixture::hold(Load::Streams(8));
        let started = RunEvent::RunStarted {
            schema_version: SCHEMA_VERSION,
            started_utc: String::new(),
            plan: Box::new(fixture::hold_plan(&hold, "ttft mean <= 1s")),
            environment: Environment::default(),
            server: Box::new(ServerInfo {
                url: "http://h:1".to_owned(),
                http: HttpVersion::Http1,
                kind: None,
                model: "m".to_owned(),
                max_model_len_tokens: None,
                endpoint: Protocol::Chat,
                reports_usage: true,
                honours_output_len: Some(true),
                prompt_form: PromptForm::Words,
                prompt_tokens_measured: None,
                has_metrics: false,
                left_out: Vec::new(),
            }),
        };
        let mut run = Run::begin(started).unwrap();
        let mut finish = |came: f64| {
            let mut level = level(8, 0, 100);
            level.answers.asked_output_tokens_mean = Some(128.0);
            level.output_tokens_mean = Some(came);
            run.apply(RunEvent::LevelFinished {
                level: Box::new(level),
                in_flight: Vec::new(),
                requests_crc32: None,
            });
            run.server.honours_output_len
        };
        assert_eq!(finish(128.0), Some(true));
        assert_eq!(finish(25.0), Some(false));
        assert_eq!(finish(128.0), Some(false), "some answers were shorter");
    }
}
