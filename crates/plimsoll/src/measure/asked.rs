//! What is asked of the server: lengths and objectives, by name or one by one. What is given one by
//! one wins.

use plimsoll_core::judge::Confidence;
use plimsoll_core::preset::Preset;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::run::{Goal, RunPlan};
use plimsoll_core::slo::{Metric, Objective, Slo, Stat};
use plimsoll_core::workload::{LengthLaw, NamedWorkload, Workload};
use plimsoll_load::target::{Target, shown_address};
use thiserror::Error;

use super::seed::{self, Seeds};
use crate::cli::{
    BodyArgs, ConnectArgs, EngineArgs, RequestArgs, ServerArgs, ShowArgs, SloArgs, ThinkArgs,
    WorkloadArgs,
};
use crate::fault::{AskFault, Failure, Hint, Words};

/// The guide's lengths (guide.zh.md, method 1).
const INPUT_TOKENS: u32 = 512;
const OUTPUT_TOKENS: u32 = 128;
/// Lengths vary by at least this, since equal lengths put all streams into step.
const SPREAD_RATIO: f64 = 0.1;

/// The arguments that every command which measures has.
pub(crate) struct MeasureArgs<'a> {
    pub(crate) server: &'a ServerArgs,
    pub(crate) lengths: &'a WorkloadArgs,
    pub(crate) think: ThinkArgs,
    pub(crate) requests: &'a RequestArgs,
    pub(crate) body: &'a BodyArgs,
    pub(crate) show: &'a ShowArgs,
    pub(crate) connect: &'a ConnectArgs,
    pub(crate) engine: &'a EngineArgs,
    /// What was typed, for the reader of the run.
    pub(crate) typed: &'a [String],
}

impl MeasureArgs<'_> {
    /// The plan of a run with this goal. The proxy is known when the target is.
    pub(crate) fn plan(
        &self,
        goal: Goal,
        (slo, slo_given): (Slo, bool),
        preset: Option<Preset>,
    ) -> RunPlan {
        let seeds = Seeds::of(self.requests, seed::drawn);
        let workload = workload(self.lengths, seeds);
        let engine = self.server.sim.then(|| self.engine.plan());
        let think = self.think.mean;
        let users_think = self.lengths.workload.and_then(|named| named.think);
        RunPlan {
            target: match &self.server.url {
                Some(url) => shown_address(url),
                None => format!("sim:{}", self.engine.profile),
            },
            engine,
            model: self.server.model.clone(),
            endpoint: self.endpoint(),
            proxy: None,
            connection: Some(self.connect.plan(self.server.api_key_env.as_deref())),
            preset,
            goal,
            slo,
            slo_given,
            confidence: Confidence::DEFAULT,
            workload: self.lengths.workload.map(|named| named.name.to_owned()),
            input_len: workload.input,
            output_len: workload.output,
            think_time_s: think.map(|think| think.as_secs_f64()),
            think_time_is_fixed: self.think.is_fixed,
            user_think_time_s: think.or(users_think).map(|think| think.as_secs_f64()),
            burst: false,
            lockstep: is_lockstep(&workload, self.think),
            body: self.body.plan(),
            timeout_s: self.requests.timeout.as_secs_f64(),
            keeps_alive: !self.requests.no_keep_alive,
            keeps_requests: !self.show.no_requests,
            seed: seeds.seed,
            prompt_seed: seeds.prompts,
            arguments: self.typed.to_vec(),
        }
    }
}

impl MeasureArgs<'_> {
    /// The API asked for: by its name, or by an address that is its endpoint.
    fn endpoint(&self) -> Option<Protocol> {
        let by_address = self.server.url.as_deref().and_then(Target::named_protocol);
        self.server.endpoint.or(by_address)
    }
}

/// The workload.
fn workload(args: &WorkloadArgs, seeds: Seeds) -> Workload {
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
        seed: seeds.seed,
        prompt_seed: seeds.prompts.unwrap_or(seeds.seed),
    }
}

/// Whether the streams keep the phases of their start. Those that think as long as they like do not.
fn is_lockstep(workload: &Workload, think: ThinkArgs) -> bool {
    workload.is_lockstep() && (think.mean.is_none() || think.is_fixed)
}

fn law(
    named: Option<LengthLaw>,
    mean: Option<u32>,
    default: u32,
    args: &WorkloadArgs,
) -> LengthLaw {
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

/// The user's objectives or the workload's, and whether there are such; else the guide's, success
/// and mean TTFT.
pub(crate) fn slo(args: &SloArgs, named: Option<NamedWorkload>) -> Result<(Slo, bool), Failure> {
    let given: Vec<Objective> = args
        .slo
        .iter()
        .flat_map(|slo| slo.0.iter().copied())
        .collect();
    let named = named.and_then(|named| named.slo);
    let slo = match (given.is_empty(), named) {
        (false, _) => Slo(given),
        (true, Some(text)) => text.parse::<Slo>()?,
        (true, None) => {
            let ttft = Objective::ttft_mean(args.max_ttft.as_secs_f64() * 1e3);
            let slo = Slo(vec![Objective::success(args.min_success), ttft]);
            return Ok((slo, false));
        }
    };
    let slo = slo.with_success_beside_means(args.min_success);
    has_what_goodput_counts(&slo)?;
    Ok((slo, true))
}

/// `goodput` needs another objective: it is the share of requests that meet those.
pub(crate) fn has_what_goodput_counts(slo: &Slo) -> Result<(), Failure> {
    let has_goodput = slo.0.iter().any(|one| one.metric == Metric::Goodput);
    if has_goodput && slo.per_request().next().is_none() {
        return Err(Failure::from(AskFault::GoodputAlone).hint(Hint::AddObjective));
    }
    Ok(())
}

/// An objective that asks for less than who typed it may think.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error(
    "`{0}` asks that the fastest requests alone are so fast, {share} % of all: for {most} % of them \
     write p{share}",
    share = slow_percent(.0),
    most = 100.0 - slow_percent(.0)
)]
pub(crate) struct OddObjective(Objective);

/// The share of requests that such an objective is about, in percent.
fn slow_percent(objective: &Objective) -> f64 {
    let quantile = match objective.stat {
        Stat::Quantile(quantile) => quantile,
        Stat::Mean | Stat::Ratio => 0.5,
    };
    ((1.0 - quantile) * 1e6).round() / 1e4
}

impl Words for OddObjective {
    fn zh(&self) -> String {
        let share = slow_percent(&self.0);
        format!(
            "`{}` 只要求最快的 {share} % 请求达到：要让 {} % 的请求都达到，请写 p{share}",
            self.0,
            100.0 - share
        )
    }
}

/// Of a speed the low quantiles are the slow requests: `speed p95 >= 20` is about the fastest 5 %.
pub(crate) fn odd_objectives(plan: &RunPlan) -> Vec<OddObjective> {
    let tiers = plan.tiers().iter().flat_map(|tier| &tier.slo.0);
    let own = plan.slo.0.iter().filter(|_| plan.tiers().is_empty());
    own.chain(tiers)
        .filter(|one| one.metric == Metric::Speed && slow_percent(one) < 50.0)
        .copied()
        .map(OddObjective)
        .collect()
}

/// A command that runs a preset, with numbers to be replaced.
pub(crate) fn example(preset: Preset, url: Option<&str>) -> String {
    let server = url.unwrap_or("--sim");
    let (command, options) = match preset {
        Preset::Limit => ("find", ""),
        Preset::Quick => ("check", ""),
        Preset::Realistic => ("check", " --rate 20"),
        Preset::Capacity | Preset::Soak => ("check", " --concurrency 40 --rate 20"),
    };
    format!("plimsoll {command} {server} --preset {preset}{options}")
}
