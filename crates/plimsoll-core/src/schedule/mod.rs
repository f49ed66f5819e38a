//! When requests are due: pure functions of a plan and a seed.

mod arrivals;
mod gaps;
mod open_loop;
mod redraw;
mod scatter;
mod share;

pub use arrivals::{ArrivalError, Arrivals, arrivals};
pub use open_loop::{OpenLoopDues, open_loop};
pub use redraw::{REDRAW_REQUEST_TIMES, Redraw, Stretch};
pub use scatter::scatter;
pub use share::Share;
