//! HTTP/2 over the same stamped sockets.
//!
//! | part | does |
//! |---|---|
//! | `frames` | bytes → whose they are; what the server says of the connection |
//! | `ledger` | the receive stamp of each byte of each stream |
//! | `socket` | a [`Connection`](crate::connection::Connection) for the library, with a ledger |
//! | `connection` | one connection: handshake, limit, requests |
//! | `incoming` | one answer, cut by the reads that carried it |
//! | `fault` | what breaks a request, and whether it may be sent again |
//! | `connections` | the connections of a worker, and those that are being made |
//!
//! The library (`h2`) decides when a stream sees its bytes, which is later than they came. So the
//! stamps do not go through it: the socket follows the frames by itself and writes down which bytes
//! of which stream each read brought, and the reader of a stream looks its bytes up there. The order
//! in which tasks run has no part in it.
//!
//! One limit is the kernel's: it joins segments that nobody has read yet and keeps the stamp of the
//! last. Over HTTP/1.1 these are events of one answer, here those of all streams of a connection.
//! Such events are counted as sharing a stamp, and a worker with HTTP/2 connections does not nap.

mod connection;
mod connections;
mod fault;
mod frames;
mod incoming;
mod ledger;
mod socket;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use connection::{Http2Connection, Lease};
pub(crate) use connections::Http2Connections;
pub(crate) use fault::Fault;
pub(crate) use incoming::Incoming;
