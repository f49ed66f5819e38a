//! The connections of one worker: those that are idle, and the making of new ones.

use std::cell::RefCell;
use std::sync::Arc;

use plimsoll_core::wire::AnswerEnd;
use tokio::sync::Semaphore;

use crate::connect::{Connected, Connector};
use crate::connection::Connection;
use crate::tally::SharedTally;

/// Connections that are made at the same time. Thousands at once would overflow the server's queue
/// (128 on many systems) and be told to try again a second later, and stall the loop.
const DIALS: usize = 64;

/// Connections of one worker to one server.
pub(crate) struct Pool {
    connector: Connector,
    keep_alive: bool,
    idle: RefCell<Vec<Connection>>,
    dials: Semaphore,
    tally: Arc<SharedTally>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, keep_alive: bool, tally: Arc<SharedTally>) -> Self {
        Self {
            connector,
            keep_alive,
            idle: RefCell::default(),
            dials: Semaphore::new(DIALS),
            tally,
        }
    }

    /// Whether a connection serves more than one request.
    pub(crate) fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// An idle connection that is still good.
    pub(crate) fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        std::iter::from_fn(|| idle.pop()).find(Connection::is_quiet)
    }

    /// Takes a connection back whose answer has been read to its end.
    pub(crate) fn put_back(&self, connection: Connection) {
        if self.keep_alive {
            self.idle.borrow_mut().push(connection);
        }
    }

    /// Makes a connection; one that cannot be made ends the request.
    pub(crate) async fn connect(&self) -> Result<Connected, AnswerEnd> {
        // Nobody closes it: the permit is always had.
        let _permit = self.dials.acquire().await;
        // In a box, and only now: thousands of streams would each keep the room for it.
        let connected = Box::pin(self.connector.connect())
            .await
            .map_err(|fault| AnswerEnd {
                outcome: fault.outcome(),
                detail: Some(fault.to_string()),
            })?;
        self.tally.update(|tally| tally.connected(connected.times));
        Ok(connected)
    }
}
