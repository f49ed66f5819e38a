//! HTTP/2 against a server that sends what it is told to.

pub(crate) mod peer;
mod requests;
mod stamps;
mod windows;
