//! The stamps of a request on its way, and who hears of them.

use std::cell::Cell;

use plimsoll_core::record::{ConnectTimes, Doubt};
use plimsoll_core::time::Offset;

use super::RequestId;

/// When a request becomes due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// On a schedule that does not wait; `ready` is when it could be sent.
    At { due: Offset, ready: Offset },
    /// As soon as the stream has a connection: closed loop.
    WhenReady,
}

/// The stamps of a request on its way; shared with whoever may have to cut it.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) due: Cell<Offset>,
    pub(crate) ready: Cell<Offset>,
    pub(crate) sent: Cell<Option<Offset>>,
    pub(crate) first: Cell<Option<Offset>>,
    /// The latest output that was told of.
    pub(super) told: Cell<Offset>,
    /// When the last word of an answer came whose end did not, or has not yet.
    pub(super) said_all: Cell<Option<Offset>>,
    /// How far these can be off.
    pub(crate) doubt: Cell<Doubt>,
    /// Whether its first bytes are with the kernel.
    pub(super) gone: Cell<bool>,
    /// The stamp of the latest bytes of the answer.
    pub(super) heard: Cell<Option<Offset>>,
    pub(super) connected: Cell<Option<ConnectTimes>>,
    /// The connection of this attempt had been there before.
    pub(super) reused: Cell<bool>,
    pub(super) asked_prompt_tokens: Cell<u32>,
    pub(super) asked_output_tokens: Cell<u32>,
}

/// What a request tells while it runs.
pub(crate) trait Watch {
    /// It was sent.
    fn sent(&self, request: RequestId, trace: &Trace);
    /// Its first output came, and its stamps can be off by so much.
    fn first(&self, request: RequestId, at: Offset, doubt: Doubt);
    /// Output came, the first or more of it; not of all of it is told.
    fn heard(&self, request: RequestId, at: Offset);
}
