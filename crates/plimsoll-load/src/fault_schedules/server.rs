//! A server in memory, which does with each request what the seed says, and writes down what it saw.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::protocol::Protocol;
use plimsoll_core::time::Offset;

use super::dice::{Dice, Of};
use super::fault::Fault;
use super::log::{Attempt, Dialed, How, Log, Written};
use super::plan::{Plan, Reading};
use super::requests::{Head, body_of};
use super::script::{Framing, Meaning};
use crate::clock::Clock;
use crate::transport::memory::{self, Dial, Peer, connected};

/// The server of one schedule.
pub(super) struct Server {
    pub(super) seed: u64,
    pub(super) protocol: Protocol,
    pub(super) clock: Clock,
    log: Mutex<Log>,
}

/// A connection, seen from the server.
struct Line {
    peer: Peer,
    /// By how much the client is late to see what comes.
    lag: Duration,
    /// When it was asked for, until it has carried a request.
    dialed_at: Option<Offset>,
    /// Bytes of the next request.
    read: Vec<u8>,
}

/// What is to be done with the connection.
enum Next {
    /// Wait for a request; end it after so long, if none comes.
    Request(Option<(memory::Ending, Offset)>),
    /// Nothing more may come.
    Over,
}

const ACCEPTS_MS: [u64; 5] = [0, 0, 0, 2, 20];
const LAGS_MS: [u64; 5] = [0, 0, 0, 2, 12];
const ROOMS: [usize; 4] = [256, 400, 1 << 12, 1 << 16];
const MOST: usize = usize::MAX;

impl Server {
    pub(super) fn new(seed: u64, protocol: Protocol, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            seed,
            protocol,
            clock,
            log: Mutex::default(),
        })
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a client connects by.
    pub(super) fn dial(self: &Arc<Self>) -> Arc<Dial> {
        let server = Arc::clone(self);
        Arc::new(move || Arc::clone(&server).accept())
    }

    fn accept(self: Arc<Self>) -> memory::Dialed {
        let number = self.log().dials.len() as u64;
        let mut dice = Dice::of(self.seed, Of::Dial(number));
        let after = Duration::from_millis(dice.pick(&ACCEPTS_MS));
        let at = self.clock.now();
        let how = match dice.below(24) {
            0 => How::Refused,
            1 => How::Silent,
            2 => How::Greeted,
            _ => How::Accepted,
        };
        self.log().dials.push(Dialed {
            at,
            answered: at + after,
            how,
        });
        let end = match how {
            How::Refused => Some(Err(std::io::ErrorKind::ConnectionRefused.into())),
            How::Silent => None,
            How::Accepted | How::Greeted => {
                let (client, peer) = connected(dice.pick(&ROOMS));
                if how == How::Greeted {
                    peer.write(b"220 hello\r\n", at);
                }
                let line = Line {
                    peer,
                    lag: Duration::from_millis(dice.pick(&LAGS_MS)),
                    dialed_at: Some(at),
                    read: Vec::new(),
                };
                drop(tokio::task::spawn_local(self.serve(line)));
                Some(Ok(client))
            }
        };
        memory::Dialed { after, end }
    }

    async fn serve(self: Arc<Self>, mut line: Line) {
        let mut next = Next::Request(None);
        while let Next::Request(end) = next {
            let Some(head) = self.next_request(&mut line, end).await else {
                return;
            };
            next = self.answer(&mut line, &head).await;
        }
        line.peer.readable().await;
        if !line.peer.is_left() {
            self.wrong(format!(
                "bytes on a connection that is over, at {:?}",
                self.clock.now()
            ));
        }
    }

    fn wrong(&self, what: String) {
        self.log().wrongs.push(what);
    }

    /// Waits for the head of a request. Ends the connection where none comes by then.
    async fn next_request(
        &self,
        line: &mut Line,
        end: Option<(memory::Ending, Offset)>,
    ) -> Option<Head> {
        if let Some((ending, at)) = end {
            let instant = self.clock.instant(at).into();
            if tokio::time::timeout_at(instant, line.peer.readable())
                .await
                .is_err()
            {
                line.peer.end(ending);
                return None;
            }
        }
        loop {
            line.peer.readable().await;
            let bytes = line.peer.read(MOST);
            if bytes.is_empty() {
                return None;
            }
            line.read.extend(bytes);
            if let Some(head) = Head::parse(&line.read) {
                drop(line.read.drain(..head.bytes));
                return Some(head);
            }
        }
    }

    async fn answer(&self, line: &mut Line, head: &Head) -> Next {
        let arrived = self.clock.now();
        let of = |attempt: &Attempt| attempt.request == head.request;
        let tries = self.log().attempts.iter().filter(|one| of(one)).count() as u64;
        let mut dice = Dice::of(self.seed, Of::Request(head.request, tries));
        let plan = Plan::draw(&mut dice, self.protocol);
        let number = self.log().attempts.len();
        self.log().attempts.push(Attempt {
            request: head.request,
            dialed_at: line.dialed_at.take(),
            arrived,
            plan: plan.clone(),
            written: Vec::new(),
            ended: None,
        });
        if plan.reading == Reading::First && !self.read_body(line, head).await {
            return Next::Over;
        }
        self.write(line, head, &plan, number, arrived).await
    }

    /// Reads the rest of a request; not if the client leaves before.
    async fn read_body(&self, line: &mut Line, head: &Head) -> bool {
        while line.read.len() < head.length {
            line.peer.readable().await;
            let bytes = line.peer.read(MOST);
            if bytes.is_empty() {
                return false;
            }
            line.read.extend(bytes);
        }
        let body: Vec<u8> = line.read.drain(..head.length).collect();
        if body != body_of(head.request) {
            self.wrong(format!("the body of {} is another one", head.request));
        }
        true
    }

    /// Writes an answer, and ends it as the plan says.
    async fn write(
        &self,
        line: &mut Line,
        head: &Head,
        plan: &Plan,
        number: usize,
        arrived: Offset,
    ) -> Next {
        let (mut at, mut from) = (arrived, 0);
        let mut reads_on = plan.reading == Reading::Meanwhile;
        for step in &plan.steps {
            at = at + Duration::from_millis(step.after_ms);
            let is_idle = plan.script.keeps_alive && self.is_over(number, from);
            let seen = self
                .wait_until(at + line.lag, is_idle.then_some(&line.peer))
                .await;
            if line.peer.is_left() {
                return Next::Over;
            }
            // What comes after the end of an answer must not become the next one.
            if is_idle && line.peer.has_come() {
                return Next::Request(None);
            }
            line.peer.write(&plan.script.bytes[from..step.upto], at);
            from = step.upto;
            let written = Written {
                upto: from,
                at,
                seen,
            };
            self.log().attempts[number].written.push(written);
            if std::mem::take(&mut reads_on) && !self.read_body(line, head).await {
                return Next::Over;
            }
        }
        self.end(line, head, plan, number, at).await
    }

    async fn end(
        &self,
        line: &mut Line,
        head: &Head,
        plan: &Plan,
        number: usize,
        at: Offset,
    ) -> Next {
        let at = at + Duration::from_millis(plan.then_after_ms) + line.lag;
        let is_over = self.is_over(number, plan.steps.last().map_or(0, |step| step.upto));
        let goes_on = is_over && plan.script.keeps_alive && plan.fault != Fault::Extra;
        let ending = plan.then.ending();
        if goes_on && plan.fault != Fault::WrongLength {
            if plan.reading == Reading::Last && !self.read_body(line, head).await {
                return Next::Over;
            }
            return Next::Request(ending.map(|ending| (ending, at)));
        }
        if let Some(ending) = ending {
            let now = self.wait_until(at, None).await;
            if !line.peer.is_left() {
                line.peer.end(ending);
                self.log().attempts[number].ended = Some((ending, now));
            }
        }
        if plan.reading != Reading::First {
            // The rest of the request may come yet.
            line.peer.left().await;
        }
        Next::Over
    }

    /// Whether the framing has ended with the bytes up to here.
    fn is_over(&self, number: usize, upto: usize) -> bool {
        let log = self.log();
        let script = &log.attempts[number].plan.script;
        let mut ends = script
            .marks
            .iter()
            .filter(|(_, meaning)| *meaning == Meaning::End);
        script.framing != Framing::ToClose && ends.any(|(at, _)| *at <= upto)
    }

    /// Waits until then, or until something comes on an idle connection. Returns the time.
    async fn wait_until(&self, at: Offset, idle: Option<&Peer>) -> Offset {
        let instant = self.clock.instant(at).into();
        let comes = async {
            match idle {
                Some(peer) => peer.readable().await,
                None => std::future::pending().await,
            }
        };
        if at > self.clock.now() {
            drop(tokio::time::timeout_at(instant, comes).await);
        }
        self.clock.now()
    }
}
