//! The cases, by kind.

mod addresses;
mod clumps;
mod datasets;
mod errors;
mod fire;
mod framing;
mod hangs;
mod http;
mod lengths;
mod limits;
mod prompts;
mod refusals;
mod shapes;
mod textbook;
