//! Arguments of `plimsoll selftest`.

use clap::Args;

use super::value::LangArg;

#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// Numbers of streams to try, ascending.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100,1000,10000", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) streams: Vec<u32>,
    /// Gap between two tokens, such as 50ms; by the number of streams if not given.
    #[arg(long, value_name = "TIME", value_parser = super::value::duration)]
    pub(crate) itl: Option<std::time::Duration>,
    /// Output tokens of a request.
    #[arg(id = "answer_tokens", long = "output-len", value_name = "TOKENS", default_value_t = 32, value_parser = clap::value_parser!(u32).range(2..=4096))]
    pub(crate) output_len: u32,
    /// Only the streams: no test of requests per second and of the schedule.
    #[arg(long)]
    pub(crate) no_rates: bool,
    /// Print the result as JSON.
    #[arg(id = "result_json", long = "json")]
    pub(crate) json: bool,
    /// Language of what people read.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: LangArg,
}
