//! The listening socket, with the options that its connections inherit.

use crate::server::BACKLOG;
use nix::sys::socket::{setsockopt, sockopt};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// Listens without blocking, with room for as many waiting connections as the kernel allows.
pub(super) fn listen(bind: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(bind)?;
    // Connections inherit both options on Linux, so that also what comes before a connection is
    // accepted has its stamp. A kernel without stamps is served by the time of the read.
    setsockopt(&listener, sockopt::TcpNoDelay, &true)?;
    setsockopt(&listener, sockopt::ReceiveTimestampns, &true).ok();
    nix::sys::socket::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
