//! Arguments of `plimsoll selftest`.

use clap::Args;

use super::value::LangArg;

#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// Numbers of streams to try, ascending.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100,1000,10000", value_parser = super::value::streams)]
    pub(crate) streams: Vec<u32>,
    /// Gap between two tokens, such as 50ms; by the number of streams if not given.
    #[arg(long, value_name = "TIME", value_parser = super::value::duration)]
    pub(crate) itl: Option<std::time::Duration>,
    /// Output tokens of a request.
    #[arg(long = "output-len", value_name = "TOKENS", default_value_t = 32, value_parser = super::value::answer_tokens)]
    pub(crate) output_len: u32,
    /// Only the streams: no test of requests per second and of the schedule.
    #[arg(long)]
    pub(crate) no_rates: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Language of what people read.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: LangArg,
}
