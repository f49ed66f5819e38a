//! The server's metrics page, over HTTP.

use std::time::Duration;

use plimsoll_core::telemetry::{Signals, read_metrics_page};

use crate::connect::Connector;
use crate::error::LoadError;
use crate::fetch::{self, Response};
use crate::source::Built;
use crate::target::Target;

/// Where metrics stand, by every server known here.
const PATH: &str = "/metrics";
/// A longer page is not read: the pages of servers known here have some hundred kilobytes, and this
/// is done several times a second beside the load. It must be below what a fetch cuts off, since
/// sums over half a page would be wrong.
const LONGEST_PAGE: usize = 4 << 20;

/// A server's metrics page.
pub struct MetricsPage {
    connector: Connector,
    target: Target,
}

impl MetricsPage {
    /// The page of a server.
    ///
    /// # Errors
    /// The host has no address.
    pub fn of(target: &Target) -> Result<Self, LoadError> {
        Ok(Self {
            connector: Connector::to(target)?,
            target: target.clone(),
        })
    }

    /// Whether the server has a page with signals that are known here.
    pub(crate) fn is_known(target: &Target, timeout: Duration) -> bool {
        fetch::get(target, PATH, timeout).is_ok_and(|page| signals(&page).is_some())
    }

    pub(super) async fn read(&self, timeout: Duration) -> Option<Signals> {
        let page = Built {
            path: PATH.to_owned(),
            ..Built::default()
        };
        let answer = fetch::bounded(&self.connector, &self.target, "GET", &page, timeout).await;
        signals(&answer.ok()?)
    }
}

fn signals(page: &Response) -> Option<Signals> {
    let is_whole = page.is_ok() && page.body.len() <= LONGEST_PAGE;
    let signals = is_whole.then(|| read_metrics_page(&page.text()))?;
    (!signals.is_empty()).then_some(signals)
}
