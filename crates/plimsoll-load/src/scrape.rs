//! The server's own signals, sampled on the run's clock while the load runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use plimsoll_core::level::ServerWindow;
use plimsoll_core::time::Offset;
use plimsoll_core::wire::ServerSignals;

use crate::clock::Clock;
use crate::connect::Connector;
use crate::error::LoadError;
use crate::fetch;
use crate::runtime;
use crate::source::Built;
use crate::target::Target;

/// How often the page is read, and how long an answer may take.
const EVERY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(5);
/// Where metrics stand, by every server known here.
pub(crate) const PATH: &str = "/metrics";

type Samples = Arc<Mutex<Vec<(Offset, ServerSignals)>>>;

/// Reads a server's metrics page again and again on a thread of its own.
pub struct Scraper {
    samples: Samples,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Scraper {
    /// Starts sampling.
    ///
    /// # Errors
    /// The thread or its runtime cannot be made, or the host has no address.
    pub fn start(target: &Target, clock: Clock) -> Result<Self, LoadError> {
        let connector = Connector::to(target)?;
        let target = target.clone();
        let samples = Samples::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (their_samples, their_stop) = (Arc::clone(&samples), Arc::clone(&stop));
        let runtime = runtime::single_threaded().map_err(LoadError::Worker)?;
        let thread = std::thread::Builder::new()
            .name("plimsoll-scrape".to_owned())
            .spawn(move || {
                runtime.block_on(sample(
                    &connector,
                    &target,
                    clock,
                    &their_samples,
                    &their_stop,
                ));
            })
            .map_err(LoadError::Worker)?;
        Ok(Self {
            samples,
            stop,
            thread: Some(thread),
        })
    }

    /// What was sampled from `from` to `to`; `None` if nothing was.
    pub fn window(&self, from: Offset, to: Offset) -> Option<ServerWindow> {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let within: Vec<&ServerSignals> = samples
            .iter()
            .filter(|(at, _)| *at >= from && *at <= to)
            .map(|(_, signals)| signals)
            .collect();
        (!within.is_empty()).then(|| ServerSignals::window(&within))
    }
}

impl Drop for Scraper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn sample(
    connector: &Connector,
    target: &Target,
    clock: Clock,
    samples: &Samples,
    stop: &AtomicBool,
) {
    let page = Built {
        path: PATH.to_owned(),
        ..Built::default()
    };
    while !stop.load(Ordering::Relaxed) {
        let answer = fetch::bounded(connector, target, "GET", &page, PATIENCE).await;
        // A page that does not come leaves a gap in the samples, which the window's count shows.
        if let Some(signals) = answer
            .ok()
            .filter(fetch::Response::is_ok)
            .and_then(|answer| ServerSignals::read(&answer.text()))
        {
            samples
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((clock.now(), signals));
        }
        tokio::time::sleep(EVERY).await;
    }
}
