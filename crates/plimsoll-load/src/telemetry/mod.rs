//! Signals of the server, and of whatever else is measured, sampled on the run's clock while the
//! load runs.
//!
//! One thread polls all sources, off the threads that carry load. A source that fails leaves a gap
//! in its samples; one that hangs is given up after some seconds and asked again; neither holds up
//! another source, the load, or the end of the run.

mod metrics_page;
mod source;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use plimsoll_core::run::ServerInfo;
use plimsoll_core::telemetry::{Sample, Thinned};
use plimsoll_core::time::Offset;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

pub use metrics_page::MetricsPage;
pub use source::SignalSource;

use crate::clock::Clock;
use crate::error::LoadError;
use crate::runtime;
use crate::target::Target;

/// Most samples of one source on one level: 17 minutes of them four times a second. On a longer
/// level each second one goes, then three of four, so that neither memory nor file grow with time.
const MOST_SAMPLES: usize = 4_096;

/// The samples of each source since they were last taken.
type Samples = Arc<[Mutex<Thinned>]>;

/// Samples sources until it is dropped.
pub struct Telemetry {
    samples: Samples,
    /// Dropped to stop.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Telemetry {
    /// Starts sampling all that a run on this server has; `None` if that is nothing.
    ///
    /// # Errors
    /// A source or the thread cannot be made.
    pub fn of(
        server: &ServerInfo,
        target: &Target,
        clock: Clock,
    ) -> Result<Option<Self>, LoadError> {
        if !server.has_metrics {
            return Ok(None);
        }
        let page = SignalSource::MetricsPage(MetricsPage::of(target)?);
        Self::start(vec![page], clock).map(Some)
    }

    /// Starts sampling.
    ///
    /// # Errors
    /// The thread or its runtime cannot be made.
    pub fn start(sources: Vec<SignalSource>, clock: Clock) -> Result<Self, LoadError> {
        let samples: Samples = sources
            .iter()
            .map(|_| Mutex::new(Thinned::new(MOST_SAMPLES)))
            .collect();
        let their_samples = Arc::clone(&samples);
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = runtime::single_threaded().map_err(LoadError::Worker)?;
        let thread = std::thread::Builder::new()
            .name("plimsoll-telemetry".to_owned())
            .spawn(move || {
                let tasks = LocalSet::new();
                for (place, source) in sources.into_iter().enumerate() {
                    let their_samples = Arc::clone(&their_samples);
                    drop(tasks.spawn_local(poll(source, clock, their_samples, place)));
                }
                // Whoever started it is gone, either way.
                drop(runtime.block_on(tasks.run_until(stopped)));
            })
            .map_err(LoadError::Worker)?;
        Ok(Self {
            samples,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What was sampled up to `until` and not taken before, source by source in order of time.
    pub fn take(&self, until: Offset) -> Vec<Sample> {
        self.samples
            .iter()
            .flat_map(|samples| lock(samples).take(until))
            .collect()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has printed why; its samples are missing.
            drop(thread.join());
        }
    }
}

async fn poll(mut source: SignalSource, clock: Clock, samples: Samples, place: usize) {
    loop {
        if let Some(signals) = source.read().await {
            let mut samples = lock(&samples[place]);
            // Stamped under the lock: what is later than a `take` cannot lie before its moment.
            samples.push(Sample {
                at: clock.now(),
                source: source.name(),
                signals,
            });
        }
        tokio::time::sleep(source.every()).await;
    }
}

fn lock(samples: &Mutex<Thinned>) -> std::sync::MutexGuard<'_, Thinned> {
    samples.lock().unwrap_or_else(PoisonError::into_inner)
}
