//! One request and its answer on a worker: take a connection, send, read to the end, record.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::time::Offset;
use plimsoll_core::wire::{Answer, AnswerEnd};

use crate::clock::Clock;
use crate::connect::Connector;
use crate::connection::{Connection, READ_BYTES};
use crate::request::head_and_body;
use crate::source::RequestSource;
use crate::stamps::{Gaps, Stamps};
use crate::target::Target;

/// A connection that is closed later than this after the send was not closed for being idle.
const IDLE_RACE: Duration = Duration::from_millis(100);

/// Counters that the coordinator reads while workers write: each is one worker's own.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections_opened: AtomicU64,
    pub(crate) idle_retries: AtomicU64,
    /// How late the worker's loop woke, ms, since it was last asked.
    pub(crate) loop_lag_ms: Mutex<Vec<f64>>,
    pub(crate) gaps: Arc<Gaps>,
}

/// What all requests of one worker share. Nothing of it is shared with another worker.
pub(crate) struct Line {
    pub(crate) target: Target,
    pub(crate) connector: Connector,
    pub(crate) source: Arc<dyn RequestSource>,
    pub(crate) clock: Clock,
    pub(crate) stamps: Stamps,
    pub(crate) timeout: Duration,
    pub(crate) keep_text: bool,
    pub(crate) counters: Arc<Counters>,
    idle: RefCell<Vec<Connection>>,
    answers: RefCell<Vec<Answer>>,
    /// One read buffer for all streams: no stream holds it across a wait.
    buffer: RefCell<Vec<u8>>,
}

/// Who sends, and when it was due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) id: u64,
    pub(crate) index: u64,
    pub(crate) level: u32,
    pub(crate) stream: u32,
}

/// When a request becomes due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// On a schedule that does not wait.
    At(Offset),
    /// As soon as the stream has a connection: closed loop.
    WhenReady,
}

/// The stamps of a request on its way; shared with whoever may have to cut it.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) due: Cell<Offset>,
    pub(crate) sent: Cell<Option<Offset>>,
    pub(crate) first: Cell<Option<Offset>>,
}

/// What a request tells while it runs.
pub(crate) trait Watch {
    /// It was sent.
    fn sent(&self, slot: Slot, due: Offset, sent: Offset);
    /// Its first output came.
    fn first(&self, slot: Slot, at: Offset);
}

impl Line {
    pub(crate) fn new(
        target: Target,
        connector: Connector,
        source: Arc<dyn RequestSource>,
        clock: Clock,
        options: LineOptions,
    ) -> Self {
        Self {
            target,
            connector,
            source,
            clock,
            stamps: Stamps::new(clock, Arc::clone(&options.counters.gaps)),
            timeout: options.timeout,
            keep_text: options.keep_text,
            counters: options.counters,
            idle: RefCell::default(),
            answers: RefCell::default(),
            buffer: RefCell::new(vec![0; READ_BYTES]),
        }
    }

    /// Runs one request to its end. `cut` resolves when it must be given up.
    pub(crate) async fn run(
        &self,
        slot: Slot,
        due: Due,
        watch: &impl Watch,
        cut: impl AsyncFnOnce(Rc<Trace>),
    ) -> (RequestRecord, Option<String>) {
        let built = self.source.build(slot.index);
        let bytes = head_and_body(&self.target, "POST", &built);
        let mut answer = self
            .answers
            .borrow_mut()
            .pop()
            .unwrap_or_else(|| Answer::new(self.keep_text));
        answer.reset();
        let trace = Rc::new(Trace::default());
        trace.due.set(match due {
            Due::At(at) => at,
            Due::WhenReady => self.clock.now(),
        });
        let end = tokio::select! {
            biased;
            end = self.exchange(slot, due, &bytes, &trace, &mut answer, watch) => end,
            () = tokio::time::sleep(self.timeout) => {
                let detail = format!("no end within {} s", self.timeout.as_secs_f64());
                AnswerEnd { outcome: Outcome::TimedOut, detail: Some(detail) }
            }
            () = cut(Rc::clone(&trace)) => AnswerEnd { outcome: Outcome::CutAtEnd, detail: None },
        };
        let usage = answer.usage();
        let record = RequestRecord {
            id: slot.id,
            level: slot.level,
            stream: slot.stream,
            due: trace.due.get(),
            sent: trace.sent.get(),
            done: self.clock.now(),
            outcome: end.outcome,
            asked_prompt_tokens: built.asked_prompt_tokens,
            asked_output_tokens: built.asked_output_tokens,
            prompt_tokens: usage.prompt_tokens,
            usage_output_tokens: usage.completion_tokens,
            detail: end.detail,
            events: answer.take_events(),
        };
        let text = answer.text().map(str::to_owned);
        self.answers.borrow_mut().push(answer);
        (record, text)
    }

    async fn exchange(
        &self,
        slot: Slot,
        due: Due,
        bytes: &[u8],
        trace: &Rc<Trace>,
        answer: &mut Answer,
        watch: &impl Watch,
    ) -> AnswerEnd {
        let mut may_retry = true;
        loop {
            let taken = if may_retry {
                self.idle_connection()
            } else {
                None
            };
            let reused = taken.is_some();
            let mut connection = match taken {
                Some(connection) => connection,
                None => match self.connect().await {
                    Ok(connection) => connection,
                    Err(end) => return end,
                },
            };
            let is_first = trace.sent.get().is_none();
            if matches!(due, Due::WhenReady) && is_first {
                trace.due.set(self.clock.now());
            }
            let stamp = || {
                if is_first {
                    let sent = self.clock.now();
                    trace.sent.set(Some(sent));
                    watch.sent(slot, trace.due.get(), sent);
                }
            };
            // A server may refuse, answer and close before it has read a long request: what it
            // said counts, and not that the rest could not be written.
            drop(connection.send(bytes, stamp).await);
            let end = self
                .read_answer(slot, &mut connection, trace, answer, watch)
                .await;
            let since_sent = trace
                .sent
                .get()
                .map_or(Duration::ZERO, |sent| self.clock.now().since(sent));
            // A server may close an idle connection just as it is used again: no fault of the
            // request, which is sent once more on a connection of its own. Its stamp stays the first.
            if may_retry
                && reused
                && end.outcome == Outcome::Reset
                && answer.is_untouched()
                && since_sent < IDLE_RACE
            {
                let _ = self.counters.idle_retries.fetch_add(1, Ordering::Relaxed);
                answer.reset();
                may_retry = false;
                continue;
            }
            if answer.keep_alive() && end.outcome != Outcome::Malformed {
                self.idle.borrow_mut().push(connection);
            }
            return end;
        }
    }

    /// An idle connection that is still good.
    fn idle_connection(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        std::iter::from_fn(|| idle.pop()).find(Connection::is_quiet)
    }

    async fn connect(&self) -> Result<Connection, AnswerEnd> {
        let _ = self
            .counters
            .connections_opened
            .fetch_add(1, Ordering::Relaxed);
        match self.connector.connect().await {
            Ok(connected) => Ok(connected.connection),
            Err(fault) => Err(AnswerEnd {
                outcome: fault.outcome(),
                detail: Some(fault.to_string()),
            }),
        }
    }

    async fn read_answer(
        &self,
        slot: Slot,
        connection: &mut Connection,
        trace: &Rc<Trace>,
        answer: &mut Answer,
        watch: &impl Watch,
    ) -> AnswerEnd {
        loop {
            // The buffer is taken out for the read alone; another stream that finds none makes one.
            let mut buffer = std::mem::take(&mut *self.buffer.borrow_mut());
            if buffer.is_empty() {
                buffer = vec![0; READ_BYTES];
            }
            let read = connection.ready_read(&mut buffer, &self.stamps);
            let Some(read) = read else {
                *self.buffer.borrow_mut() = buffer;
                if let Err(error) = connection.readable().await {
                    return reset(&error);
                }
                continue;
            };
            let end = match read {
                Ok((0, at)) => Some(answer.close(at)),
                Ok((count, at)) => answer.push(&buffer[..count], at),
                Err(error) => Some(reset(&error)),
            };
            *self.buffer.borrow_mut() = buffer;
            if trace.first.get().is_none()
                && let Some(first) = answer.events().iter().find(|event| event.output)
            {
                trace.first.set(Some(first.at));
                watch.first(slot, first.at);
            }
            if let Some(end) = end {
                return end;
            }
        }
    }
}

/// Settings of a line.
pub(crate) struct LineOptions {
    pub(crate) timeout: Duration,
    pub(crate) keep_text: bool,
    pub(crate) counters: Arc<Counters>,
}

fn reset(error: &io::Error) -> AnswerEnd {
    let outcome = if error.kind() == io::ErrorKind::InvalidData {
        Outcome::Tls
    } else {
        Outcome::Reset
    };
    AnswerEnd {
        outcome,
        detail: Some(error.to_string()),
    }
}
