//! A model LLM server for tests and demonstrations, with a known truth.
//!
//! The engine is a pure model of continuous batching; with the feature `server` it is served in
//! real time over OpenAI's HTTP API, together with the latencies a perfect client would measure
//! and with faults to order.
//!
//! | module | holds |
//! |---|---|
//! | [`engine`] | the step function: queue, budget, paged KV cache, preemption, prefix cache |
//! | [`profile`] | named parameter sets, derived from public figures |
//! | [`virtual_time`] | the load of closed-loop streams over the engine, in virtual time |
//! | `faults` | what the server does wrong, and to which request |
//! | `server::runner` | the engine's thread and its absolute schedule |
//! | `server::worker`, `conn`, `http` | connections, the socket with its faults, the endpoints |
//! | `server::generate` | one inference request from its bytes to its response |
//! | `server::script`, `wire`, `body` | what a stream sends, in which bytes, at which moment |
//! | `server::truth` | what a perfect client would have reported |
//! | `metronome` | a server without an engine: its answers follow a fixed schedule at any load |
//!
//! In virtual time, a second of engine costs microseconds:
//!
//! ```
//! use plimsoll_sim::{Engine, Job, Profile, PromptKey};
//!
//! let mut engine = Engine::new(Profile::named("toy").expect("a listed name").engine, 1);
//! let prompt = PromptKey::unshared();
//! engine.submit(0, Job { id: 1, prompt, prompt_tokens: 512, output_tokens: 128 });
//! let ends: Vec<u64> = std::iter::from_fn(|| engine.step()).map(|step| step.end_ns()).collect();
//! assert_eq!(ends.len(), 128);
//! assert!((18_000_000..23_000_000).contains(&ends[0]), "first token after about 20 ms");
//! ```

pub mod engine;
pub mod fast;
mod faults;
#[cfg(feature = "server")]
pub mod metronome;
pub mod profile;
mod random;
#[cfg(feature = "server")]
mod server;
pub mod virtual_time;

pub use engine::{Admission, Engine, EngineParams, Gauges, Job, ParamError, PromptKey, Step};
pub use faults::{FaultError, Faults};
#[cfg(feature = "server")]
pub use metronome::{Metronome, MetronomeConfig};
pub use profile::Profile;
#[cfg(feature = "server")]
pub use server::{Latency, SimConfig, SimError, SimServer, StopHandle, Truth};
pub use virtual_time::VirtualRunner;
