//! The load engine.

pub mod batch;
pub mod clock;
pub mod error;
pub mod source;
pub mod target;
