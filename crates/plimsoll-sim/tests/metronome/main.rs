//! The metronome over real sockets.
#![cfg(feature = "server")]
#![expect(
    clippy::unwrap_used,
    reason = "a test helper that fails is a test that fails"
)]

mod client;
mod http;
mod tls;
mod truth;

use plimsoll_sim::{Metronome, MetronomeConfig};
use std::time::Duration;

/// A server with these times, in ms.
fn server(ttft_ms: u64, itl_ms: u64) -> Metronome {
    let (ttft, itl) = (
        Duration::from_millis(ttft_ms),
        Duration::from_millis(itl_ms),
    );
    Metronome::start(MetronomeConfig::local(ttft, itl)).unwrap()
}
