//! Response bodies: a whole text, or a script acted out as the engine's tokens arrive.

use super::clock::Clock;
use super::hub::Subscription;
use super::script::{Piece, Script};
use super::truth::Ticket;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;

type FramePoll = Poll<Option<io::Result<Frame<Bytes>>>>;

/// The body of any response of this server.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// Everything at once; `None` when it has been taken.
    Whole(Option<Bytes>),
    /// The beginning of a longer body, then a reset.
    Torn(Torn),
    /// Server-sent events.
    Stream(Box<StreamBody>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> FramePoll {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Torn(torn) => torn.poll(cx),
            Self::Stream(stream) => stream.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Torn(torn) => SizeHint::with_exact(torn.claimed_bytes),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Tells the connection to reset the TCP stream when it is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct ResetFlag(Arc<AtomicBool>);

impl ResetFlag {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Resets, but not before a round of the writer, so that what was sent before gets out.
    fn poll_reset(&self, cx: &mut Context<'_>) -> FramePoll {
        if self.0.swap(true, Ordering::Relaxed) {
            return Poll::Ready(Some(Err(io::Error::other("cut on purpose"))));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A body that claims more bytes than it sends.
#[derive(Debug)]
pub(super) struct Torn {
    pub(super) sent: Option<Bytes>,
    pub(super) claimed_bytes: u64,
    pub(super) reset: ResetFlag,
}

impl Torn {
    fn poll(&mut self, cx: &mut Context<'_>) -> FramePoll {
        match self.sent.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => self.reset.poll_reset(cx),
        }
    }
}

/// A stream of events, stamped as they are handed to the HTTP writer.
#[derive(Debug)]
pub(super) struct StreamBody {
    script: Script,
    queue: VecDeque<Piece>,
    /// Tokens the script has been told of.
    produced: u32,
    pause: Option<Pin<Box<Sleep>>>,
    clock: Clock,
    reset: ResetFlag,
    /// Both gone once the stream has ended: the place in the engine and the account.
    live: Option<(Subscription, Ticket)>,
}

impl StreamBody {
    pub(super) fn new(
        mut script: Script,
        subscription: Subscription,
        ticket: Ticket,
        clock: Clock,
        reset: ResetFlag,
    ) -> Self {
        let mut queue = VecDeque::new();
        script.opening(&mut queue);
        let live = Some((subscription, ticket));
        Self {
            script,
            queue,
            produced: 0,
            pause: None,
            clock,
            reset,
            live,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> FramePoll {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some((subscription, ticket)) = &mut self.live else {
                return Poll::Ready(None);
            };
            match self.queue.pop_front() {
                Some(Piece::Plain(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::Output(bytes, tokens)) => {
                    ticket.output(self.clock.now_ns(), tokens);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Piece::Pause(time)) => self.pause = Some(sleep(time)),
                Some(Piece::End(outcome)) => {
                    ticket.end(outcome);
                    self.live = None;
                }
                Some(Piece::Abort) => {
                    ticket.end(super::script::Outcome::Failed);
                    self.queue.push_front(Piece::Abort);
                    return self.reset.poll_reset(cx);
                }
                None => {
                    self.produced = ready!(subscription.poll_beyond(self.produced, cx));
                    self.script.advance(self.produced, &mut self.queue);
                }
            }
        }
    }
}

fn sleep(time: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(time))
}
