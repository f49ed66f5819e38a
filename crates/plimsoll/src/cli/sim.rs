//! Arguments of the built-in engine and of `plimsoll sim`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use plimsoll_core::run::{EngineOverrides, EnginePlan};

use crate::fault::ValueFault;

/// The engine: a named profile, and any of its parameters changed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Built-in engine")]
pub(crate) struct EngineArgs {
    /// Named engine: toy, h100-8b, 4090-8b or h20-70b-tp8.
    #[arg(long, value_name = "NAME", default_value = "toy")]
    pub(crate) profile: String,
    /// Time of a step that does nothing but read the weights, µs.
    #[arg(long, value_name = "US")]
    pub(crate) step_base_us: Option<f64>,
    /// Time added by one prompt token, µs.
    #[arg(long, value_name = "US")]
    pub(crate) prefill_us_per_token: Option<f64>,
    /// Time added by one sequence in the step, µs.
    #[arg(long, value_name = "US")]
    pub(crate) sequence_us: Option<f64>,
    /// Time added by one KV token of a running sequence, µs.
    #[arg(long, value_name = "US")]
    pub(crate) kv_us_per_token: Option<f64>,
    /// Most sequences that run at once.
    #[arg(long, value_name = "N")]
    pub(crate) max_num_seqs: Option<u32>,
    /// Most tokens computed in one step.
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_num_batched_tokens: Option<u32>,
    /// Size of the KV cache, blocks of 16 tokens.
    #[arg(long, value_name = "BLOCKS")]
    pub(crate) kv_blocks: Option<u32>,
    /// Requests that may wait; the next one is refused with 429.
    #[arg(long, value_name = "N")]
    pub(crate) queue_limit: Option<usize>,
    /// Coefficient of variation of the step time.
    #[arg(long, value_name = "RATIO")]
    pub(crate) jitter_cv: Option<f64>,
    /// Whether prompt blocks are found again by their tokens.
    #[arg(long, value_name = "BOOL")]
    pub(crate) prefix_cache: Option<bool>,
    /// Longest prompt and answer together, tokens.
    #[arg(long, value_name = "TOKENS")]
    pub(crate) max_model_len: Option<u32>,
}

impl EngineArgs {
    /// What they say of the engine.
    pub(crate) fn plan(&self) -> EnginePlan {
        EnginePlan {
            profile: self.profile.clone(),
            changed: EngineOverrides {
                step_base_us: self.step_base_us,
                prefill_us_per_token: self.prefill_us_per_token,
                sequence_us: self.sequence_us,
                kv_us_per_token: self.kv_us_per_token,
                max_num_seqs: self.max_num_seqs,
                max_num_batched_tokens: self.max_num_batched_tokens,
                kv_blocks: self.kv_blocks,
                queue_limit: self.queue_limit,
                jitter_cv: self.jitter_cv,
                prefix_cache: self.prefix_cache,
                max_model_len: self.max_model_len,
                ..EngineOverrides::default()
            },
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub(crate) listen: SocketAddr,
    /// Model name to serve under.
    #[arg(long, value_name = "NAME", default_value = "sim")]
    pub(crate) served_model_name: String,
    /// Ask for this API key.
    #[arg(long, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Threads that serve connections.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = super::value::threads)]
    pub(crate) workers: u16,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// What to do wrong on purpose, as JSON: `{"error_share":0.1,"comments":true}`.
    #[arg(long, value_name = "JSON")]
    pub(crate) faults: Option<String>,
    #[command(flatten)]
    pub(crate) metronome: MetronomeArgs,
    /// Print how the profile's numbers come about, and end.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Language of the help.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) lang: super::value::LangArg,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// The server without an engine.
#[derive(Debug, Args)]
pub(crate) struct MetronomeArgs {
    /// Serve no engine but a fixed schedule: time to the first token, and between tokens, such as
    /// 100ms,50ms or 0,0.
    #[arg(long = "metronome", id = "metronome", value_name = "TTFT,ITL", value_parser = pace)]
    #[arg(conflicts_with_all = ["api_key", "faults", "explain", "seed", "EngineArgs"])]
    pub(crate) pace: Option<Pace>,
    /// With --metronome: length of an answer whose request does not give it, tokens [default: 32].
    #[arg(
        long = "output-len",
        id = "answer_len",
        value_name = "TOKENS",
        requires = "metronome"
    )]
    #[arg(value_parser = super::value::count)]
    pub(crate) answer_len: Option<u32>,
    /// With --metronome: certificate chain to serve TLS with, PEM.
    #[arg(
        long,
        value_name = "FILE",
        requires = "metronome",
        requires = "tls_key"
    )]
    pub(crate) tls_cert: Option<PathBuf>,
    /// With --metronome: key of the certificate, PEM.
    #[arg(
        long,
        value_name = "FILE",
        requires = "metronome",
        requires = "tls_cert"
    )]
    pub(crate) tls_key: Option<PathBuf>,
    /// With --metronome: authorities of the certificates that clients must show, PEM.
    #[arg(
        long,
        value_name = "FILE",
        requires = "metronome",
        requires = "tls_cert"
    )]
    pub(crate) tls_client_ca: Option<PathBuf>,
}

/// The schedule of every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// From the request to the first token.
    pub(crate) ttft: Duration,
    /// From one token to the next.
    pub(crate) itl: Duration,
}

/// Two times such as `100ms,50ms`; each may be `0`.
fn pace(text: &str) -> Result<Pace, ValueFault> {
    let (ttft, itl) = text.split_once(',').ok_or(ValueFault::NotTwoTimes)?;
    Ok(Pace {
        ttft: super::value::think_time(ttft)?,
        itl: super::value::think_time(itl)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_two_times_of_which_each_may_be_0() {
        let ms = Duration::from_millis;
        let of = |ttft, itl| Ok(Pace { ttft, itl });
        assert_eq!(pace("100ms,50ms"), of(ms(100), ms(50)));
        assert_eq!(pace("0,0"), of(ms(0), ms(0)));
        assert_eq!(pace("1s, 0"), of(ms(1_000), ms(0)));
        for bad in ["100ms", "5,5", "-1s,0", ",", "1s,1s,1s"] {
            assert!(pace(bad).is_err(), "{bad}");
        }
    }
}
