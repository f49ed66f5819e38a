//! Wire formats: bytes in, parts, events or lines out. Nothing here reads a socket or a clock, or
//! knows what an API says; any split of the same bytes gives the same events.

mod chunked;
mod coding;
mod fault;
mod http1;
mod ndjson;
mod prometheus;
mod retry_after;
mod sse;

pub use coding::Decoder;
pub use fault::HttpFault;
pub use http1::{Head, Part, ResponseReader};
pub use ndjson::NdjsonParser;
pub use prometheus::{MetricLine, metric_lines};
pub use retry_after::retry_after_s;
pub use sse::{SseEvent, SseParser};
