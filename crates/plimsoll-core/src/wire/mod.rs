//! Wire formats: bytes in, events out. Nothing here reads a socket or a clock; any split of the
//! same bytes gives the same events.

mod answer;
mod chunked;
mod fault;
mod http1;
mod openai;
mod prometheus;
mod sse;
mod template;

pub use answer::{Answer, AnswerEnd};
pub use fault::HttpFault;
pub use http1::{Head, Part, ResponseReader};
pub use openai::{Chunk, ChunkFault, Usage, parse_chunk};
pub use prometheus::{MetricLine, metric_lines};
pub use sse::SseParser;
