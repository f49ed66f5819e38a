//! The load engine: turns a level or a batch into requests and records.
//!
//! | room | what it does |
//! |---|---|
//! | [`target`] | where requests go |
//! | [`route`] | how it is reached |
//! | [`proxy`] | a proxy on the way |
//! | [`connect`] | connections: addresses, TLS, and what went wrong |
//! | [`source`] | what is sent |
//! | [`completions`] | requests of the OpenAI protocol for a workload |
//! | [`preflight`] | what the server is, before any load |
//! | [`runner`] | levels over sockets: workers, and the thread that steps the level |
//! | [`batch`] | a fixed number of requests on a schedule |
//! | [`fetch`] | one small request that waits |
//! | [`scrape`] | the server's own signals on the same clock |
//! | [`stamps`] | receive stamps: the kernel's, on the run's clock |
//!
//! Below them: `connection` (a socket with stamps), `link` (a connection with its protocol), `http2`
//! (many answers on one connection, each byte with its stamp), `exchange` (one request and its
//! answer), `worker` (a thread with its share of the streams), `pacer` (due times to the microsecond).

mod base64;
pub mod batch;
mod beat;
pub mod clock;
pub mod completions;
pub mod connect;
mod connection;
pub mod error;
mod exchange;
pub mod fetch;
mod guard;
mod http2;
mod link;
mod pacer;
mod polls;
mod pool;
pub mod preflight;
pub mod proxy;
mod request;
pub mod route;
pub mod runner;
pub mod scrape;
pub mod source;
pub mod stamps;
mod steal;
mod tally;
pub mod target;
mod worker;
