//! Arguments of `plimsoll plan`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use plimsoll_core::capacity_plan::TokensPerRequest;

use super::value::{
    LangArg, at_least_one, count, duration, percent_up_to_100, quantity, ratio, streams,
    think_time, tokens,
};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").args(["users", "qps", "requests_per_day"]))]
pub(crate) struct PlanArgs {
    /// A finished run of `find`, folder or run.json: its cap, request times and tokens.
    #[arg(long, value_name = "RUN")]
    pub(crate) from: Option<PathBuf>,
    /// Gateway cap of one server, streams: the lower end of the interval that `find` states.
    #[arg(long, visible_alias = "streams", value_name = "N", value_parser = streams)]
    pub(crate) cap: Option<u32>,
    /// Mean time of a request at the planned mean, such as 7.9s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) request_time: Option<Duration>,
    /// Tokens of a request: prompt and answer as 512+128, or their sum.
    #[arg(long, value_name = "IN+OUT", value_parser = tokens)]
    pub(crate) tokens_per_request: Option<TokensPerRequest>,

    /// Users to serve; with --active-share only that share of them is active at the peak.
    #[arg(long, value_name = "N", value_parser = quantity)]
    pub(crate) users: Option<f64>,
    /// Requests per second to serve, at the peak.
    #[arg(long, value_name = "X", value_parser = quantity)]
    pub(crate) qps: Option<f64>,
    /// Requests per day to serve.
    #[arg(long, value_name = "N", value_parser = quantity)]
    pub(crate) requests_per_day: Option<f64>,

    /// Mean time from an answer to the user's next request, such as 60s; 0 if there is none.
    #[arg(long, value_name = "TIME", value_parser = think_time)]
    pub(crate) think_time: Option<Duration>,
    /// Share of all users that are active at the peak.
    #[arg(long, value_name = "SHARE", value_parser = percent_up_to_100)]
    pub(crate) active_share: Option<f64>,
    /// Requests per second at the peak, as a multiple of the day's mean.
    #[arg(long, value_name = "X", value_parser = at_least_one)]
    pub(crate) peak_factor: Option<f64>,
    /// Price of a GPU for an hour, in any currency.
    #[arg(long, value_name = "PRICE", value_parser = quantity)]
    pub(crate) gpu_price: Option<f64>,
    /// GPUs of one server.
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) gpus: Option<u32>,
    /// Planned mean as a share of the gateway cap, at most; 75% or that of the run if not given.
    #[arg(long, value_name = "SHARE", value_parser = ratio)]
    pub(crate) headroom: Option<f64>,

    /// Print the plan as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Language of what people read.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: LangArg,
}
