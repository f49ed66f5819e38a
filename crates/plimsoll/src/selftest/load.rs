//! The client's side: small requests with a number, and how long they took.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::source::{Built, RequestSource};

use super::server::Server;
use crate::machine;
use crate::signal::Stop;

/// Requests of a fixed length whose number is in a header.
struct Numbered {
    output_tokens: u32,
}

impl RequestSource for Numbered {
    fn build(&self, index: u64) -> Built {
        let tokens = self.output_tokens;
        Built {
            path: "/v1/completions".to_owned(),
            headers: vec![("x-request-id".to_owned(), index.to_string())],
            body: format!(
                r#"{{"model":"sim","prompt":"a ship","max_tokens":{tokens},"stream":true,"stream_options":{{"include_usage":true}}}}"#
            )
            .into_bytes(),
            asked_prompt_tokens: 2,
            asked_output_tokens: tokens,
        }
    }
}

/// A load to put on the server.
pub(super) struct Load {
    /// When each request is due.
    pub(super) dues: Vec<Duration>,
    /// Most in flight; `None` sends each when it is due.
    pub(super) streams: Option<u32>,
    /// Requests per second, for the number of workers.
    pub(super) rate_per_s: f64,
    /// Length of the answers.
    pub(super) output_tokens: u32,
}

/// Carries a load, with the CPU time that this process spent on it.
pub(super) fn carry(server: &Server, load: Load, stop: &Stop) -> anyhow::Result<(Batch, Duration)> {
    let source: Arc<dyn RequestSource> = Arc::new(Numbered {
        output_tokens: load.output_tokens,
    });
    let plan = BatchPlan {
        dues: load.dues,
        max_concurrency: load.streams,
        timeout: Duration::from_secs(60),
        keep_text: false,
        first_index: 0,
        workers: machine::workers(load.streams.unwrap_or(1), load.rate_per_s),
        keep_alive: true,
    };
    let before = cpu()?;
    let go = |_: usize| if stop.is_set() { Go::Stop } else { Go::On };
    let batch = run_batch(&server.target, &source, &plan, Clock::start(), &mut { go })?;
    Ok((batch, cpu()?.saturating_sub(before)))
}

/// CPU time of this process so far, user and system.
fn cpu() -> nix::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = |time: nix::sys::time::TimeVal| {
        time.tv_sec().cast_unsigned() * 1_000_000 + time.tv_usec().cast_unsigned()
    };
    Ok(Duration::from_micros(
        micros(usage.user_time()) + micros(usage.system_time()),
    ))
}
