//! When requests are due: pure functions of a plan and a seed.

mod arrivals;
mod redraw;
mod scatter;

pub use arrivals::{ArrivalError, Arrivals, arrivals};
pub use redraw::{REDRAW_REQUEST_TIMES, Redraw, Stretch};
pub use scatter::scatter;
