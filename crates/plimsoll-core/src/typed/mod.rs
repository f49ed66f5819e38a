//! What people type as quantities: times such as `1m30s`, shares such as `95%`. One parser for each,
//! wherever such a thing is typed, and faults as types: the command turns them into words.

mod share;
mod span;
mod width;

pub use share::{ShareBounds, ShareError};
pub use span::{LONGEST_HOURS, SpanError, parse_span, parse_span_or_none};
pub use width::{half_width, narrow};
