//! Arguments that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use plimsoll_core::protocol::Protocol;
use plimsoll_core::slo::Slo;
use plimsoll_core::workload::NamedWorkload;

use super::value::{
    LangArg, duration, endpoint, length, name, path, percent, spread, think_time, workload,
};

/// Which server.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Address of the server: host:port, with or without http:// and /v1, or as the vendor shows it.
    // Each command has a group of what may stand in its place.
    #[arg(required_unless_present = "instead_of_url", conflicts_with = "sim")]
    pub(crate) url: Option<String>,
    /// Use the built-in engine instead of a server.
    #[arg(long)]
    pub(crate) sim: bool,
    /// Model name; the first one the server lists if not given.
    #[arg(long, value_parser = name)]
    pub(crate) model: Option<String>,
    /// API to use; auto takes completions if the server has it, else chat, else one of the others.
    // The path keeps clap from taking it for an argument that may be left away.
    #[arg(long, value_name = "API", value_parser = endpoint(), default_value = "auto")]
    pub(crate) endpoint: std::option::Option<Protocol>,
    /// Environment variable that holds the API key; if not given, the one that is usual for the
    /// API, such as `OPENAI_API_KEY`.
    #[arg(long, value_name = "NAME")]
    pub(crate) api_key_env: Option<String>,
}

/// What is asked of it.
#[derive(Debug, Args)]
pub(crate) struct SloArgs {
    /// Objective, such as 'ttft p95 <= 1s' or 'success >= 99%'; may be given several times.
    #[arg(long, value_name = "OBJECTIVE")]
    pub(crate) slo: Vec<Slo>,
    /// Without --slo: least share of requests that must not fail.
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = percent)]
    pub(crate) min_success: f64,
    /// Without --slo: largest mean time to first token, such as 1s or 800ms.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub(crate) max_ttft: Duration,
}

/// How long the requests are.
#[derive(Debug, Args)]
pub(crate) struct WorkloadArgs {
    /// Lengths and objectives by the kind of business: customer-service, content, code-assistant,
    /// rag, agent, batch; or the guide's numbers: guide:customer-service, guide:content,
    /// guide:code-assistant. Options given beside it win.
    #[arg(long, value_name = "NAME", value_parser = workload)]
    pub(crate) workload: Option<NamedWorkload>,
    /// Mean prompt length, tokens; 512 if not given.
    #[arg(long, value_name = "TOKENS", value_parser = length)]
    pub(crate) input_len: Option<u32>,
    /// Mean answer length, tokens; 128 if not given.
    #[arg(long, value_name = "TOKENS", value_parser = length)]
    pub(crate) output_len: Option<u32>,
    /// How far lengths vary around their mean, all alike; 10%, or by the workload.
    #[arg(long, value_name = "SHARE", value_parser = spread)]
    pub(crate) length_spread: Option<f64>,
}

/// Whether streams are users who think.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ThinkArgs {
    /// Mean time that a stream waits before its next request, such as 60s: loads are then users.
    #[arg(id = "think_time", long = "think-time", value_name = "TIME", value_parser = duration)]
    pub(crate) mean: Option<Duration>,
    /// Each wait of --think-time is as long; else they vary as those of independent users do.
    #[arg(
        id = "fixed_think_time",
        long = "fixed-think-time",
        requires = "think_time"
    )]
    pub(crate) is_fixed: bool,
}

/// How they are sent.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// Time limit of one request.
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// How long a server that is not ready (503, or 429 with Retry-After) is waited for; 0 for not.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = think_time)]
    pub(crate) wait: Duration,
    /// End the run at once when more requests than this have failed.
    #[arg(long, value_name = "N")]
    pub(crate) max_failures: Option<u32>,
    /// A new connection for each request.
    #[arg(long)]
    pub(crate) no_keep_alive: bool,
    /// Seed of lengths and arrivals; a new one in each run if not given.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// With --seed: the same prompts too, which a server's prefix cache may know from before.
    #[arg(long, requires = "seed")]
    pub(crate) same_prompts: bool,
}

/// What is kept and shown of it.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a command line"
)]
pub(crate) struct ShowArgs {
    /// Show what would be done, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Folder for the run; a new one below plimsoll-runs/ if not given.
    #[arg(long, value_name = "DIR", value_parser = path)]
    pub(crate) out: Option<PathBuf>,
    /// No requests.jsonl: the run folder stays small however long the run.
    #[arg(long)]
    pub(crate) no_requests: bool,
    /// Print run.json to stdout instead of the report.
    #[arg(long)]
    pub(crate) json: bool,
    /// Report also the test, throughput and knees, the client, and what the words mean.
    #[arg(long)]
    pub(crate) details: bool,
    /// Language of what people read.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: LangArg,
    /// No progress, only the report.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}
