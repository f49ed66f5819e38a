//! When requests are due: pure functions of a plan and a seed.

mod arrivals;
mod scatter;

pub use arrivals::{ArrivalError, Arrivals, arrivals};
pub use scatter::scatter;
