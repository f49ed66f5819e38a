//! Arguments of `plimsoll find`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use plimsoll_core::judge::Confidence;
use plimsoll_core::preset::Preset;
use plimsoll_core::search::Ladder;
use plimsoll_core::tier::Tier;

use super::common::{RequestArgs, ServerArgs, ShowArgs, SloArgs, ThinkArgs, WorkloadArgs};
use super::value::{
    Budget, ByArg, amount, budget, confidence, count, duration, percent, ratio, times,
};
use super::{BodyArgs, ConnectArgs, EngineArgs};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("instead_of_url").args(["sim", "resume", "from"]).multiple(true))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a command line"
)]
pub(crate) struct FindArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,

    #[command(flatten)]
    pub(crate) slo: SloArgs,
    /// Objectives of a class of users, such as 'gold: ttft p95 <= 300ms, tpot p95 <= 30ms'; may be
    /// given several times: one run answers for all of them. Not with --slo.
    #[arg(long, value_name = "TIER")]
    pub(crate) slo_tier: Vec<Tier>,
    /// Least growth of throughput per doubling; stops the ramp without --slo, else a note.
    #[arg(long, value_name = "SHARE", default_value = "20%", value_parser = percent)]
    pub(crate) min_growth: f64,
    /// Go on when the server's KV cache is full and it preempts.
    #[arg(long)]
    pub(crate) ignore_resources: bool,

    /// One of the guide's goals: limit climbs its ladder. quick, realistic, capacity and soak hold
    /// one load and belong to `plimsoll check`. Options given beside it win.
    #[arg(long, value_name = "GOAL")]
    pub(crate) preset: Option<Preset>,
    /// Loads to try: doubling, guide, or numbers such as 1,2,5,10; doubling if not given.
    #[arg(long, value_name = "LADDER")]
    pub(crate) ladder: Option<Ladder>,
    /// What to search for: concurrent streams, or arrivals per second.
    #[arg(long, value_enum, default_value = "streams")]
    pub(crate) by: ByArg,
    /// By rate: no more arrivals per second than this.
    #[arg(long, value_name = "RATE", default_value = "10000", value_parser = amount)]
    pub(crate) max_rate: f64,
    /// By rate: how arrivals come; 1 is Poisson, larger is more even, smaller comes in bursts.
    #[arg(long, value_name = "SHAPE", default_value = "1", value_parser = amount)]
    pub(crate) burstiness: f64,
    /// Hold the gateway cap for some minutes at the end; on unless --no-confirm is given.
    #[arg(long, conflicts_with = "no_confirm")]
    pub(crate) confirm: bool,
    /// End as soon as the interval is narrow.
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// First load of the ramp, streams; 2 if not given.
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) start: Option<u32>,
    /// No load above this, streams; 1024 if not given.
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) max_concurrency: Option<u32>,
    #[command(flatten)]
    pub(crate) lengths: WorkloadArgs,
    #[command(flatten)]
    pub(crate) think: ThinkArgs,
    /// New streams start all at once, as in the guide, and not scattered.
    #[arg(long)]
    pub(crate) burst: bool,
    /// Two-sided confidence of decisions, 80% to 99.9%.
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    pub(crate) confidence: Confidence,
    /// Longest hold of a level; by the request time if not given.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) level_time: Option<Duration>,
    /// Time for the whole search; with --resume also how much more, such as +15m.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = budget)]
    pub(crate) budget: Budget,
    /// Planned mean as a share of the gateway cap, at most.
    #[arg(long, value_name = "SHARE", default_value = "75%", value_parser = ratio)]
    pub(crate) headroom: f64,
    #[command(flatten)]
    pub(crate) requests: RequestArgs,
    #[command(flatten)]
    pub(crate) body: BodyArgs,

    /// Go on with the run in this folder: one that was interrupted or killed, or, with a --budget, one
    /// that has ended.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "from", "repeat"])]
    pub(crate) resume: Option<PathBuf>,
    /// Judge the run in this folder under another --slo, without any request.
    #[arg(long, value_name = "DIR", requires = "slo", conflicts_with = "repeat")]
    pub(crate) from: Option<PathBuf>,
    /// Search so many times, one after another, and compare the answers.
    #[arg(long, value_name = "TIMES", value_parser = times)]
    pub(crate) repeat: Option<u32>,
    #[command(flatten)]
    pub(crate) show: ShowArgs,

    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
