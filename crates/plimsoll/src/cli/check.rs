//! Arguments of `plimsoll check`.

use std::time::Duration;

use clap::{ArgGroup, Args};
use plimsoll_core::preset::Preset;

use super::common::{RequestArgs, ServerArgs, ShowArgs, SloArgs, ThinkArgs, WorkloadArgs};
use super::value::{count, duration, rate, shape};
use super::{BodyArgs, ConnectArgs, EngineArgs};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("instead_of_url").args(["sim"]))]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// One of the guide's goals: quick, 50 requests of 10 streams; realistic, 1000 requests at --rate;
    /// capacity, 2000 at --rate with --concurrency × 1.5 in flight at most; soak, an hour at 0.8 of
    /// --rate with 0.8 of --concurrency. Options given beside it win.
    #[arg(long, value_name = "GOAL")]
    pub(crate) preset: Option<Preset>,
    /// Requests per second that arrive, whatever has become of those before.
    #[arg(long, value_name = "REQ/S", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Streams instead of a rate: each sends its next request when its answer has ended. With
    /// --preset capacity the concurrency you aim for, with soak the best that was found.
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) concurrency: Option<u32>,
    /// With --rate: at most so many in flight; what arrives beyond it waits, at its own cost.
    #[arg(long = "max-concurrency", value_name = "CAP", value_parser = count)]
    pub(crate) cap: Option<u32>,
    /// With --rate: how arrivals come; 1 is Poisson, larger is more even, inf is constant.
    #[arg(long, value_name = "SHAPE", default_value = "1", value_parser = shape)]
    pub(crate) burstiness: f64,
    /// How long the load is held, once it is there; 10m if not given, or by the preset.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) hold: Option<Duration>,
    /// End as soon as an objective is known to be broken.
    #[arg(long)]
    pub(crate) fail_fast: bool,

    #[command(flatten)]
    pub(crate) slo: SloArgs,
    #[command(flatten)]
    pub(crate) lengths: WorkloadArgs,
    #[command(flatten)]
    pub(crate) think: ThinkArgs,
    #[command(flatten)]
    pub(crate) requests: RequestArgs,
    #[command(flatten)]
    pub(crate) body: BodyArgs,

    #[command(flatten)]
    pub(crate) show: ShowArgs,

    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}
