//! The connections of one worker: those that are idle or have room, and the making of new ones.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use plimsoll_core::protocol::AnswerEnd;
use plimsoll_core::record::ConnectTimes;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::connect::Connector;
use crate::connection::Connection;
use crate::http2::{Http2Connections, Lease};
use crate::link::{self, Link};
use crate::stamps::Stamps;
use crate::stats::LiveStats;
use crate::target::{HttpChoice, Target};

/// Connections that are made at the same time. Thousands at once would overflow the server's queue
/// (128 on many systems) and be told to try again a second later, and stall the loop.
const DIALS: usize = 64;

/// Connections of one worker to one server.
pub(crate) struct Pool {
    connector: Connector,
    choice: HttpChoice,
    keep_alive: bool,
    idle: RefCell<Vec<Connection>>,
    shared: Http2Connections,
    /// A connection may turn out to carry many requests at once.
    may_share: Cell<bool>,
    dials: Semaphore,
    stamps: Rc<Stamps>,
    stats: Arc<LiveStats>,
    clock: Clock,
}

/// What a request is sent on: a connection of its own, or a place on a shared one.
pub(crate) enum Way {
    Http1(Connection),
    Http2(Lease),
}

/// A way for one request.
pub(crate) struct Taken {
    pub(crate) way: Way,
    /// What its connection took, if it was made for this request.
    pub(crate) times: Option<ConnectTimes>,
    /// Whether it was there at once, so that nothing was waited for.
    pub(crate) at_once: bool,
}

impl Pool {
    pub(crate) fn new(
        target: &Target,
        connector: Connector,
        keep_alive: bool,
        stamps: Rc<Stamps>,
        stats: Arc<LiveStats>,
        clock: Clock,
    ) -> Self {
        let may_share = match target.http {
            HttpChoice::Http1 => false,
            HttpChoice::Http2 => true,
            HttpChoice::Auto => target.tls,
        };
        Self {
            connector,
            choice: target.http,
            keep_alive,
            idle: RefCell::default(),
            shared: Http2Connections::default(),
            may_share: Cell::new(may_share && keep_alive),
            dials: Semaphore::new(DIALS),
            stamps,
            stats,
            clock,
        }
    }

    /// Whether a connection serves more than one request.
    pub(crate) fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether answers share a connection.
    pub(crate) fn shares(&self) -> bool {
        !self.shared.is_empty()
    }

    /// A way for a request: a free place, an idle connection that is still good, or a new one. One
    /// that has just failed is not taken again, and no idle one after it.
    ///
    /// # Errors
    /// A connection cannot be made; that ends the request.
    pub(crate) async fn take(&self, failed: Option<&Way>) -> Result<Taken, AnswerEnd> {
        if let Some(way) = self.open(failed) {
            return Ok(Taken {
                way,
                times: None,
                at_once: true,
            });
        }
        let _waiting = self.stats.wait(self.clock);
        while self.may_share.get() {
            let Some(joined) = self.shared.join().await else {
                let dial = self.shared.dial();
                return self.connect().await.inspect_err(|end| dial.fail(end));
            };
            joined?;
            if let Some(way) = self.open(failed) {
                return Ok(Taken {
                    way,
                    times: None,
                    at_once: false,
                });
            }
        }
        self.connect().await
    }

    /// Takes a connection back whose answer has been read to its end.
    pub(crate) fn put_back(&self, connection: Connection) {
        if self.keep_alive {
            self.idle.borrow_mut().push(connection);
        }
    }

    fn open(&self, failed: Option<&Way>) -> Option<Way> {
        let lease = match failed {
            Some(Way::Http2(lease)) => Some(lease),
            _ => None,
        };
        if let Some(lease) = self.shared.free(lease) {
            return Some(Way::Http2(lease));
        }
        if failed.is_some() {
            return None;
        }
        let mut idle = self.idle.borrow_mut();
        let mut idle = std::iter::from_fn(|| idle.pop());
        idle.find(Connection::is_quiet).map(Way::Http1)
    }

    async fn connect(&self) -> Result<Taken, AnswerEnd> {
        // Nobody closes it: the permit is always had.
        let _permit = self.dials.acquire().await;
        // In a box, and only now: thousands of streams would each keep the room for it.
        let opened = Box::pin(link::open(&self.connector, self.choice, &self.stamps)).await;
        let (link, times) = opened.map_err(|fault| AnswerEnd {
            outcome: fault.outcome(),
            detail: Some(fault.to_string()),
        })?;
        self.stats.update(|stats| stats.connected(times));
        let way = match link {
            Link::Http1(connection) => {
                // A server that chose it once will not choose otherwise.
                self.may_share.set(false);
                Way::Http1(connection)
            }
            Link::Http2(connection) if self.keep_alive => Way::Http2(self.shared.add(connection)),
            Link::Http2(connection) => Way::Http2(connection.lease()),
        };
        let times = Some(times);
        Ok(Taken {
            way,
            times,
            at_once: false,
        })
    }
}
