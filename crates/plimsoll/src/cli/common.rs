//! Arguments that several commands share.

use std::time::Duration;

use clap::Args;
use plimsoll_core::slo::{Metric, Objective, Slo};
use plimsoll_core::workload::Workload;

use super::find::{duration, percent, spread};
use super::{EndpointArg, LangArg};
use crate::exit::Failure;

/// Which server.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Address of the server: host:port, with or without http:// and /v1.
    #[arg(required_unless_present = "sim", conflicts_with = "sim")]
    pub(crate) url: Option<String>,
    /// Use the built-in engine instead of a server.
    #[arg(long)]
    pub(crate) sim: bool,
    /// Model name; the first one the server lists if not given.
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// API to use; auto takes completions if the server has it, else chat.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) endpoint: EndpointArg,
    /// Environment variable that holds the API key.
    #[arg(long, value_name = "NAME", default_value = "OPENAI_API_KEY")]
    pub(crate) api_key_env: String,
}

/// What is asked of it.
#[derive(Debug, Args)]
pub(crate) struct SloArgs {
    /// Objective, such as 'ttft p95 <= 1s' or 'success >= 99%'; may be given several times.
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: Vec<Slo>,
    /// Without --slo: least share of requests that must not fail, percent.
    #[arg(long, value_name = "PERCENT", default_value = "95", value_parser = percent)]
    pub(crate) min_success: f64,
    /// Without --slo: largest mean time to first token, such as 1s or 800ms.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(crate) max_ttft: Duration,
}

impl SloArgs {
    /// The user's objectives, or the guide's: success and mean TTFT.
    ///
    /// # Errors
    /// `goodput` without an objective that a single request can meet.
    pub(crate) fn resolve(&self) -> Result<Slo, Failure> {
        if self.slo.is_empty() {
            let ttft = Objective::ttft_mean(self.max_ttft.as_secs_f64() * 1e3);
            return Ok(Slo(vec![Objective::success(self.min_success), ttft]));
        }
        let given = self.slo.iter().flat_map(|slo| slo.0.iter().copied());
        let slo = Slo(given.collect()).with_success_beside_means(self.min_success);
        let has_goodput = slo.0.iter().any(|one| one.metric == Metric::Goodput);
        if has_goodput && slo.per_request().next().is_none() {
            return Err(Failure::usage(
                "`goodput` is the share of requests that meet the other objectives, and there is none",
            )
            .hint("add one, for example --slo 'ttft p95 <= 1s'"));
        }
        Ok(slo)
    }
}

/// What the requests are like.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// Mean prompt length, tokens; varied by --length-spread.
    #[arg(long, value_name = "TOKENS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) input_len: u32,
    /// Mean answer length, tokens; varied by --length-spread.
    #[arg(long, value_name = "TOKENS", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) output_len: u32,
    /// How far lengths vary around their mean, percent.
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = spread)]
    pub(crate) length_spread: f64,
    /// Time limit of one request.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// A new connection for each request.
    #[arg(long)]
    pub(crate) no_keep_alive: bool,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

impl RequestArgs {
    /// The workload.
    pub(crate) fn workload(&self) -> Workload {
        Workload::uniform(
            self.input_len,
            self.output_len,
            self.length_spread,
            self.seed,
        )
    }
}

/// What is shown of it.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ShowArgs {
    /// Language of what people read.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: LangArg,
    /// No progress, only the report.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}
