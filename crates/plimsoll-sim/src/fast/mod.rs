//! The engine's laws at a cost that does not grow with the batch: for evidence over thousands of
//! model engines.
//!
//! [`Engine`](crate::Engine) touches every running sequence in every step. Here a step in which
//! nobody comes or goes is one addition: sequences that decode are counted, not visited. Without
//! jitter both give the same times to the nanosecond, which a test holds; with jitter they draw
//! from the same law. There is no prefix cache by token ids; [`Trouble`] has what breaks the model.

mod batch;
mod engine;
mod hold;
mod jitter;
mod kv;
mod runner;
mod sequence;
mod streams;
mod trouble;

pub use batch::{Batch, Timing, batch};
pub use engine::FastEngine;
pub use hold::{Ask, HoldCounts, HoldSums, LongHold, Measure, hold, hold_sums};
pub use runner::FastRunner;
pub use trouble::{Delivery, Prefix, Stalls, Tenants, Trouble};
