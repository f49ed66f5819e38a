//! The vocabulary and the mathematics of Plimsoll: records, objectives, statistics, schedules, the
//! life of a level, the search and its verdict, and wire formats parsed from bytes.
//!
//! Pure and synchronous: no runtime, no clock, no sockets, no printing. Time enters as
//! [`time::Offset`] arguments, so that everything here can be stepped by tests.

pub mod check;
pub mod judge;
pub mod level;
pub mod outcome;
pub mod record;
pub mod run;
pub mod runner;
pub mod scaling;
pub mod schedule;
pub mod search;
pub mod slo;
pub mod stability;
pub mod stats;
pub mod time;
pub mod verdict;
pub mod wire;
pub mod workload;

#[doc(hidden)]
pub fn tune(name: &str, default: f64) -> f64 {
    use std::collections::HashMap;
    use std::sync::OnceLock;
    static TUNE: OnceLock<HashMap<String, f64>> = OnceLock::new();
    TUNE.get_or_init(|| {
        std::env::vars()
            .filter_map(|(k, v)| Some((k.strip_prefix("T_")?.to_owned(), v.parse().ok()?)))
            .collect()
    })
    .get(name)
    .copied()
    .unwrap_or(default)
}
