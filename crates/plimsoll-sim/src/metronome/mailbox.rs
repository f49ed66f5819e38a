//! What reaches a worker from other threads: connections, and the word to stop.

use crate::server::runner::lock;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One worker's mailbox; writing to it wakes the worker.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) bell: EventFd,
    sockets: Mutex<Vec<TcpStream>>,
    stopping: AtomicBool,
}

impl Mailbox {
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            bell: EventFd::from_flags(flags)?,
            sockets: Mutex::default(),
            stopping: AtomicBool::new(false),
        })
    }

    pub(super) fn send(&self, socket: TcpStream) {
        lock(&self.sockets).push(socket);
        self.ring();
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.ring();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Takes what was sent. The bell is heard at edges, so that it need not be silenced.
    pub(super) fn take(&self) -> Vec<TcpStream> {
        std::mem::take(&mut *lock(&self.sockets))
    }

    fn ring(&self) {
        // It can only fail after 2^64 − 2 rings, each of which has woken the worker.
        self.bell.write(1).ok();
    }
}
