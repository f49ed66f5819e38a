//! What a run was asked for: all that it takes to go on with it, and no secret.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::HttpVersion;
use crate::judge::Confidence;
use crate::level::{LevelSettings, OpenLoop};
use crate::load::{Load, LoadUnit};
use crate::preset::Preset;
use crate::protocol::{Feature, Protocol};
use crate::search::{Axis, Ladder, Rules, SearchConfig};
use crate::slo::Slo;
use crate::tier::Tier;
use crate::workload::{LengthLaw, ThinkTime, Workload};

/// What was asked for. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a command line"
)]
pub struct RunPlan {
    /// The server's address as given, or `sim:PROFILE` for the built-in engine.
    pub target: String,
    /// The built-in engine, where it takes the place of a server.
    pub engine: Option<EnginePlan>,
    /// The model asked for; `None` for the first one that the server lists.
    pub model: Option<String>,
    /// The API asked for; `None` for the one that preflight finds.
    pub endpoint: Option<Protocol>,
    /// The proxy on the way, without user and password.
    pub proxy: Option<String>,
    /// How the server is reached; `None` of a run of version 1, which did not keep it.
    pub connection: Option<Connection>,
    /// The guide's goal that was chosen, if one was.
    pub preset: Option<Preset>,
    /// What the run is to find out.
    pub goal: Goal,
    /// The objectives judged.
    pub slo: Slo,
    /// Whether the objectives are the user's own or the guide's stop rules.
    pub slo_given: bool,
    /// Two-sided confidence of decisions, 0..1.
    pub confidence: Confidence,
    /// Name of the workload; `None` where none was named.
    pub workload: Option<String>,
    /// Law of the prompts' lengths.
    pub input_len: LengthLaw,
    /// Law of the answers' lengths.
    pub output_len: LengthLaw,
    /// Mean time that each stream waits before its next request; `None` where it sends at once.
    pub think_time_s: Option<f64>,
    /// Whether each wait is the mean; else they are exponential.
    pub think_time_is_fixed: bool,
    /// Mean think time of the workload's users, whether the streams waited so or not.
    pub user_think_time_s: Option<f64>,
    /// Whether the streams that a level adds start all at once.
    pub burst: bool,
    /// Whether lengths vary so little that streams stay in lockstep; their phases are redrawn then.
    pub lockstep: bool,
    /// What the user wants in the body of each request.
    #[serde(default)]
    pub body: BodyPlan,
    /// Time limit of one request, s.
    pub timeout_s: f64,
    /// Whether a connection carries one request after another.
    pub keeps_alive: bool,
    /// Whether each request has its line in `requests.jsonl`.
    pub keeps_requests: bool,
    /// Everything random but the prompts comes from this.
    pub seed: u64,
    /// The prompts come from this; `None` where they come from `seed` as well, and so repeat with it.
    #[serde(default)]
    pub prompt_seed: Option<u64>,
    /// The command's arguments as typed, without secrets and without what only concerns the
    /// terminal: for the reader.
    pub arguments: Vec<String>,
}

impl SearchPlan {
    /// The search that this part of a run's plan means.
    pub fn config(&self, run: &RunPlan) -> SearchConfig {
        SearchConfig {
            axis: self.axis,
            rules: self.rules,
            ladder: self.ladder.clone(),
            start: self.start,
            most_streams: self.max_concurrency,
            most_rate_per_s: self.max_rate_per_s,
            open_loop: OpenLoop {
                burstiness: self.burstiness,
                most_in_flight: None,
                seed: run.seed,
            },
            level_time: self
                .level_time_s
                .and_then(|time_s| Duration::try_from_secs_f64(time_s).ok()),
            budget: Duration::try_from_secs_f64(self.budget_s).unwrap_or_default(),
            confirm: self.confirm,
            headroom: self.headroom_ratio,
            settings: run.level_settings(),
            ..SearchConfig::new(run.slo.clone())
        }
    }
}

/// No run is longer, s: thirty years. What is computed from times stays far below what a
/// [`Duration`] holds.
pub const MOST_RUN_S: f64 = 1e9;

/// Whether a number of seconds is a time that a run can have: not negative, and no more than
/// [`MOST_RUN_S`].
pub fn is_possible_time(seconds: f64) -> bool {
    (0.0..=MOST_RUN_S).contains(&seconds)
}

impl RunPlan {
    /// What all levels have in common.
    pub fn level_settings(&self) -> LevelSettings {
        let mut tiers = self.tiers().iter();
        LevelSettings {
            burst: self.burst,
            redraw_seed: self.lockstep.then_some(self.seed),
            think: self.think(),
            keeps_stamps: self.slo.judges_gaps() || tiers.any(|tier| tier.slo.judges_gaps()),
            confidence: self.confidence,
        }
    }

    /// The first time that cannot be, with its name, as in a file that was written by hand.
    pub fn impossible_time(&self) -> Option<(&'static str, f64)> {
        let goal = match &self.goal {
            Goal::Search(search) => vec![
                ("level_time_s", search.level_time_s),
                ("budget_s", Some(search.budget_s)),
            ],
            Goal::Hold(hold) => vec![("for_s", Some(hold.for_s))],
        };
        let own = [
            ("timeout_s", Some(self.timeout_s)),
            ("think_time_s", self.think_time_s),
            ("user_think_time_s", self.user_think_time_s),
        ];
        let mut times = goal
            .into_iter()
            .chain(own)
            .filter_map(|(name, time)| Some((name, time?)));
        times.find(|(_, time)| !is_possible_time(*time))
    }

    /// The search; `None` where one load is held.
    pub fn search(&self) -> Option<&SearchPlan> {
        match &self.goal {
            Goal::Search(search) => Some(search),
            Goal::Hold(_) => None,
        }
    }

    /// The load that is held; `None` of a search.
    pub fn hold(&self) -> Option<&HoldPlan> {
        match &self.goal {
            Goal::Search(_) => None,
            Goal::Hold(hold) => Some(hold),
        }
    }

    /// What the loads of the run count.
    pub fn unit(&self) -> LoadUnit {
        let axis = match &self.goal {
            Goal::Search(search) => search.axis,
            Goal::Hold(hold) => hold.load.axis(),
        };
        LoadUnit::of(axis, self.think_time_s.is_some())
    }

    /// Every tier, where there are several SLOs; else empty.
    pub fn tiers(&self) -> &[Tier] {
        self.search().map_or(&[], |search| &search.tiers)
    }

    /// What its requests ask for.
    pub fn requests(&self) -> Workload {
        Workload {
            input: self.input_len,
            output: self.output_len,
            seed: self.seed,
            prompt_seed: self.prompt_seed.unwrap_or(self.seed),
        }
    }

    /// How its streams wait before their next requests.
    pub fn think(&self) -> Option<ThinkTime> {
        let mean = self.think_time_s?;
        Some(ThinkTime {
            mean: Duration::try_from_secs_f64(mean).ok()?,
            is_fixed: self.think_time_is_fixed,
            seed: self.seed,
        })
    }
}

/// What a run is to find out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Goal {
    /// The load at which the objectives break: `plimsoll find`.
    Search(SearchPlan),
    /// Whether one load holds: `plimsoll check`.
    Hold(HoldPlan),
}

/// A search for the load at which the objectives break.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SearchPlan {
    /// Every tier, where there are several SLOs; the plan's SLO is that of the first. Else empty.
    pub tiers: Vec<Tier>,
    /// What is searched along.
    pub axis: Axis,
    /// The stop rules.
    pub rules: Rules,
    /// The ramp's rungs.
    pub ladder: Ladder,
    /// First rung.
    pub start: u32,
    /// No level above this.
    pub max_concurrency: u32,
    /// By rate: no more arrivals per second than this.
    pub max_rate_per_s: f64,
    /// By rate: gamma shape of the gaps between arrivals; 1 is Poisson.
    pub burstiness: f64,
    /// Whether the gateway cap is held for some minutes at the end.
    pub confirm: bool,
    /// Longest hold of a level, s; by the request time where it is not set.
    pub level_time_s: Option<f64>,
    /// Time for the whole search, s.
    pub budget_s: f64,
    /// Planned mean as a share of the gateway cap, at most.
    pub headroom_ratio: f64,
}

/// One load, held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HoldPlan {
    /// The load.
    pub load: Load,
    /// At most this many requests in flight, if the user said so; the rest waits in the client.
    pub most_in_flight: Option<u32>,
    /// Gamma shape of the gaps between arrivals, 1 is Poisson; `None` for constant gaps.
    pub burstiness: Option<f64>,
    /// Length of the window, s; at most, if `until_requests` is set.
    pub for_s: f64,
    /// The window ends when so many requests, at least, have ended in it, if this is set.
    pub until_requests: Option<u64>,
    /// Whether it ends as soon as an objective is known to be broken.
    pub fails_fast: bool,
}

/// How a server is reached: what the user chose of it, without any secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Connection {
    /// The version of HTTP asked for; `None` for the one that the server chooses.
    pub http: Option<HttpVersion>,
    /// Name of the environment variable that holds the API key; `None` for the usual one of the API.
    pub api_key_env: Option<String>,
    /// Certificate trusted beside the system's.
    pub cacert: Option<PathBuf>,
    /// Whether any certificate of the server is taken.
    pub insecure: bool,
    /// Certificate of the client.
    pub cert: Option<PathBuf>,
    /// Key of the client's certificate; `None` where it is in the same file.
    pub key: Option<PathBuf>,
    /// Places that are connected to instead of the address's host.
    pub connect_to: Vec<String>,
    /// Local addresses that connections come from.
    pub source_ips: Vec<IpAddr>,
    /// Hosts without a proxy; `None` where the environment says.
    pub no_proxy: Option<String>,
    /// Names of the headers that the user gave: their values may be keys.
    #[serde(default)]
    pub headers: Vec<String>,
}

/// What the user wants in the body of each request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BodyPlan {
    /// Settings of the sampling, by `OpenAI`'s or vLLM's names.
    pub sampling: Map<String, Value>,
    /// Fields beside all others and over them.
    pub extra: Map<String, Value>,
    /// Whether answers may end before the length asked for, where the API can keep them from it.
    pub may_end_early: bool,
}

impl BodyPlan {
    /// What is not to be sent of an API's own accord.
    pub fn unwanted(&self) -> Vec<Feature> {
        let is_given = |one: &Feature| {
            let name = one.name();
            self.sampling.contains_key(name) || self.extra.contains_key(name)
        };
        let given = [Feature::IgnoreEos, Feature::Temperature].into_iter();
        let given = given.filter(is_given);
        let early = self.may_end_early.then_some(Feature::IgnoreEos);
        given.chain(early).collect()
    }
}

/// The built-in engine that was loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnginePlan {
    /// Name of its profile.
    pub profile: String,
    /// Parameters that differ from the profile's.
    pub changed: EngineOverrides,
}

/// Single parameters of a modelled engine to replace; `None` keeps what the profile says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EngineOverrides {
    /// Time of a step that does nothing but read the weights, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_base_us: Option<f64>,
    /// Time added by one prompt token, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefill_us_per_token: Option<f64>,
    /// Time added by one sequence in the step, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_us: Option<f64>,
    /// Time added by one KV token of a running sequence, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv_us_per_token: Option<f64>,
    /// Most sequences that run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_num_seqs: Option<u32>,
    /// Most tokens computed in one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_num_batched_tokens: Option<u32>,
    /// Size of the KV cache, blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv_blocks: Option<u32>,
    /// Tokens of a block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_tokens: Option<u32>,
    /// Requests that may wait; it can set a limit, not lift one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_limit: Option<usize>,
    /// Coefficient of variation of the step time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_cv: Option<f64>,
    /// Whether prompt blocks are found again by their tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_cache: Option<bool>,
    /// Longest prompt and answer together, tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_model_len: Option<u32>,
}
