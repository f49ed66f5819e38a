//! One request and its answer on a worker: take a connection, send, read to the end, record.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::record::{ConnectTimes, RequestRecord, StreamEvent};
use plimsoll_core::time::Offset;
use plimsoll_core::wire::{Answer, AnswerEnd};

use crate::clock::Clock;
use crate::connect::Connector;
use crate::connection::{Connection, READ_BYTES};
use crate::polls::Polls;
use crate::pool::Pool;
use crate::request::head_and_body;
use crate::source::RequestSource;
use crate::stamps::Stamps;
use crate::tally::SharedTally;
use crate::target::Target;

/// A connection that is closed later than this after the send was not closed for being idle.
const IDLE_RACE: Duration = Duration::from_millis(100);

/// What all requests of one worker share. Nothing of it is shared with another worker.
pub(crate) struct Line {
    pub(crate) target: Target,
    pub(crate) source: Arc<dyn RequestSource>,
    pub(crate) clock: Clock,
    pub(crate) stamps: Stamps,
    pub(crate) timeout: Duration,
    pub(crate) keep_text: bool,
    pub(crate) tally: Arc<SharedTally>,
    pub(crate) polls: Arc<Polls>,
    pool: Pool,
    answers: RefCell<Vec<Answer>>,
    /// One read buffer for all streams: no stream holds it across a wait.
    buffer: RefCell<Vec<u8>>,
}

/// Settings of a line.
pub(crate) struct LineOptions {
    pub(crate) timeout: Duration,
    pub(crate) keep_text: bool,
    pub(crate) keep_alive: bool,
    pub(crate) tally: Arc<SharedTally>,
    pub(crate) polls: Arc<Polls>,
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
    connected: Cell<Option<ConnectTimes>>,
    asked_prompt_tokens: Cell<u32>,
    asked_output_tokens: Cell<u32>,
}

/// What a request tells while it runs.
pub(crate) trait Watch {
    /// It was sent.
    fn sent(&self, slot: Slot, due: Offset, sent: Offset);
    /// Its first output came.
    fn first(&self, slot: Slot, at: Offset);
}

/// A request on its way: what its steps share.
struct Flight<'a, W> {
    slot: Slot,
    due: Due,
    trace: &'a Trace,
    watch: &'a W,
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
            source,
            clock,
            stamps: Stamps::new(clock, Arc::clone(&options.tally)),
            timeout: options.timeout,
            keep_text: options.keep_text,
            pool: Pool::new(connector, options.keep_alive, Arc::clone(&options.tally)),
            tally: options.tally,
            polls: options.polls,
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
        let flight = Flight {
            slot,
            due,
            trace: &trace,
            watch,
        };
        let end = tokio::select! {
            biased;
            end = self.exchange(&flight, &mut answer) => end,
            () = tokio::time::sleep(self.timeout) => {
                let detail = format!("no end within {} s", self.timeout.as_secs_f64());
                AnswerEnd { outcome: Outcome::TimedOut, detail: Some(detail) }
            }
            () = cut(Rc::clone(&trace)) => AnswerEnd { outcome: Outcome::CutAtEnd, detail: None },
        };
        let record = self.record(slot, &trace, end, &mut answer);
        let text = answer.text().map(str::to_owned);
        self.answers.borrow_mut().push(answer);
        (record, text)
    }

    fn record(
        &self,
        slot: Slot,
        trace: &Trace,
        end: AnswerEnd,
        answer: &mut Answer,
    ) -> RequestRecord {
        let usage = answer.usage();
        RequestRecord {
            id: slot.id,
            level: slot.level,
            stream: slot.stream,
            due: trace.due.get(),
            sent: trace.sent.get(),
            connected: trace.connected.get(),
            done: self.clock.now(),
            outcome: end.outcome,
            asked_prompt_tokens: trace.asked_prompt_tokens.get(),
            asked_output_tokens: trace.asked_output_tokens.get(),
            prompt_tokens: usage.prompt_tokens,
            usage_output_tokens: usage.completion_tokens,
            detail: end.detail,
            events: answer.take_events(),
        }
    }

    /// The bytes of a request. They are built again for a second attempt and kept by no stream.
    fn request(&self, index: u64, trace: &Trace) -> Vec<u8> {
        let built = self.source.build(index);
        trace.asked_prompt_tokens.set(built.asked_prompt_tokens);
        trace.asked_output_tokens.set(built.asked_output_tokens);
        head_and_body(&self.target, "POST", &built, self.pool.keep_alive())
    }

    async fn exchange(&self, flight: &Flight<'_, impl Watch>, answer: &mut Answer) -> AnswerEnd {
        let reused = self.pool.idle();
        let may_retry = reused.is_some();
        let mut connection = match reused {
            Some(connection) => connection,
            None => match self.connect(flight.trace).await {
                Ok(connection) => connection,
                Err(end) => return end,
            },
        };
        let mut end = self.attempt(flight, &mut connection, answer).await;
        if may_retry && self.was_closed_for_being_idle(flight.trace, &end, answer) {
            // No fault of the request, which is sent once more on a connection of its own. Its
            // stamp stays the first.
            self.tally.update(|tally| tally.idle_retries += 1);
            answer.reset();
            connection = match self.connect(flight.trace).await {
                Ok(connection) => connection,
                Err(end) => return end,
            };
            end = self.attempt(flight, &mut connection, answer).await;
        }
        let is_whole = connection.has_sent_all() && answer.keep_alive();
        if is_whole && end.outcome != Outcome::Malformed {
            self.pool.put_back(connection);
        }
        end
    }

    /// A server may close an idle connection just as it is used again.
    fn was_closed_for_being_idle(&self, trace: &Trace, end: &AnswerEnd, answer: &Answer) -> bool {
        let since_sent = trace
            .sent
            .get()
            .map_or(Duration::ZERO, |sent| self.clock.now().since(sent));
        end.outcome == Outcome::Reset && answer.is_untouched() && since_sent < IDLE_RACE
    }

    async fn connect(&self, trace: &Trace) -> Result<Connection, AnswerEnd> {
        let connected = self.pool.connect().await?;
        trace.connected.set(Some(connected.times));
        Ok(connected.connection)
    }

    /// Sends the request and reads its answer to the end.
    async fn attempt(
        &self,
        flight: &Flight<'_, impl Watch>,
        connection: &mut Connection,
        answer: &mut Answer,
    ) -> AnswerEnd {
        let trace = flight.trace;
        let bytes = self.request(flight.slot.index, trace);
        let is_first = trace.sent.get().is_none();
        if matches!(flight.due, Due::WhenReady) && is_first {
            trace.due.set(self.clock.now());
        }
        let stamp = || {
            if is_first {
                let sent = self.clock.now();
                trace.sent.set(Some(sent));
                flight.watch.sent(flight.slot, trace.due.get(), sent);
            }
        };
        // A server may refuse, answer and close before it has read a long request: what it said
        // counts, and not that the rest could not be written.
        drop(connection.send(&bytes, stamp).await);
        drop(bytes);
        self.read_answer(flight, connection, answer).await
    }

    async fn read_answer(
        &self,
        flight: &Flight<'_, impl Watch>,
        connection: &mut Connection,
        answer: &mut Answer,
    ) -> AnswerEnd {
        let mut last_output = None;
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
            let known = answer.events().len();
            let end = match read {
                Ok((0, at)) => Some(answer.close(at)),
                Ok((count, at)) => answer.push(&buffer[..count], at),
                // A server that closes with something unread resets, whatever it has said.
                Err(_) if answer.has_said_all() => Some(answer.close(self.clock.now())),
                Err(error) => Some(reset(&error)),
            };
            *self.buffer.borrow_mut() = buffer;
            self.note(flight, &answer.events()[known..], &mut last_output);
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Notes what one read brought: whether it was the first output, and whether stamps are shared.
    fn note(
        &self,
        flight: &Flight<'_, impl Watch>,
        events: &[StreamEvent],
        last_output: &mut Option<Offset>,
    ) {
        let outputs = events.iter().filter(|event| event.output).count() as u64;
        let Some(event) = events.iter().find(|event| event.output) else {
            return;
        };
        let before = last_output.replace(event.at);
        let polled = self.polls.all_read_before();
        self.tally
            .update(|tally| tally.output_read(outputs, before, event.at, polled));
        if before.is_none() {
            flight.trace.first.set(Some(event.at));
            flight.watch.first(flight.slot, event.at);
        }
    }
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
