//! The vocabulary and the mathematics of Plimsoll: records, objectives, statistics, schedules, the
//! life of a level, the search and its verdict, API protocols, and wire formats parsed from bytes.
//!
//! Pure and synchronous: no runtime, no clock, no sockets, no printing. Time enters as
//! [`time::Offset`] arguments, so that everything here can be stepped by tests.

pub mod capacity_plan;
mod cause;
pub mod check;
pub mod dry_run;
pub mod judge;
pub mod level;
pub mod load;
pub mod negotiation;
pub mod outcome;
pub mod preset;
pub mod protocol;
pub mod quote;
pub mod record;
pub mod repeat;
pub mod run;
pub mod runner;
pub mod scaling;
pub mod schedule;
pub mod search;
pub mod selftest;
pub mod slo;
pub mod stability;
pub mod stats;
pub mod telemetry;
pub mod tier;
pub mod time;
pub mod typed;
pub mod verdict;
pub mod wire;
pub mod workload;
