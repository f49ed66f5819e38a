//! The load engine: turns a level or a batch into requests and records.
//!
//! | room | what it does |
//! |---|---|
//! | [`target`] | where requests go, and the way there |
//! | [`connect`] | connections: addresses, TLS, and what went wrong |
//! | [`source`] | what is sent |
//! | [`dialect`] | requests for a workload, as one server wants them |
//! | [`preflight`] | what the server is, before any load |
//! | [`coordinator`] | steps a level over a crew |
//! | [`crew`] | those who carry it: what they are told, what they tell; threads |
//! | [`batch`] | a fixed number of requests on a schedule |
//! | [`fetch`] | one small request that waits |
//! | [`telemetry`] | signals of the server, and of what else is measured, on the same clock |
//! | [`stamps`] | receive stamps: the kernel's, on the run's clock |
//!
//! Below them:
//!
//! | room | what it does |
//! |---|---|
//! | `worker` | a thread with its share of the streams |
//! | `context` | what the requests of a worker share: connections, stamps, counts |
//! | `request` | one request and its answer, over HTTP/1.1 and HTTP/2 |
//! | `link` | a connection with its protocol |
//! | `http2` | many answers on one connection, each byte with its stamp |
//! | `connection` | a transport with its TLS, whose reads have stamps |
//! | `transport` | what a connection reads from and writes to: a socket, in tests also memory |
//! | `stats` | what a worker counts of itself |

pub mod batch;
pub mod clock;
pub mod connect;
mod connection;
mod context;
pub mod coordinator;
pub mod crew;
pub mod dialect;
pub mod error;
#[cfg(test)]
mod fault_schedules;
pub mod fetch;
mod http2;
mod link;
pub mod preflight;
mod request;
mod runtime;
pub mod source;
pub mod stamps;
mod stats;
pub mod target;
pub mod telemetry;
mod transport;
mod worker;
