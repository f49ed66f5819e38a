//! Small questions to the server before the run: which models it serves, and one request alone.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::protocol::ServedModel;
use plimsoll_core::quote::{is_plain, quoted};
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{BatchPlan, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::connect::ConnectFault;
use plimsoll_load::fetch::{self, FetchError};
use plimsoll_load::preflight::without_secrets;
use plimsoll_load::source::{Built, RequestSource};
use plimsoll_load::target::Target;

use super::failure::{BenchFault, Failure};
use crate::background::unless_stopped;
use crate::fault::chain;

/// Longest wait for one answer.
const LONGEST: Duration = Duration::from_secs(120);

/// How often a wait looks whether the user wants to stop.
const LOOK: Duration = Duration::from_millis(50);

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Prompt length by the server.
    pub(crate) prompt_tokens: Option<u32>,
    /// What the server or the transport said of a failure.
    pub(crate) detail: Option<String>,
}

impl Answer {
    /// The failure on one line.
    pub(crate) fn fault(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {}", self.outcome.key(), detail.trim()),
            None => self.outcome.key(),
        }
    }
}

/// Why there is no list of models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoList {
    /// On one line.
    pub(crate) seen: String,
    /// Whether nobody listens there.
    pub(crate) refused: bool,
}

impl<T: Into<String>> From<T> for NoList {
    fn from(seen: T) -> Self {
        Self {
            seen: seen.into(),
            refused: false,
        }
    }
}

fn no_list(error: &FetchError) -> NoList {
    let refused = match error {
        FetchError::Connect { source, .. } => is_refused(source),
        _ => false,
    };
    NoList {
        seen: chain(error),
        refused,
    }
}

fn is_refused(fault: &ConnectFault) -> bool {
    match fault {
        ConnectFault::Tcp { error, .. } => error.kind() == io::ErrorKind::ConnectionRefused,
        _ => false,
    }
}

/// Asks the server, or stands in for it in tests.
pub(crate) trait Probe {
    /// The models it lists.
    fn models(&mut self) -> Result<Vec<ServedModel>, NoList>;

    /// The answer to one request.
    fn completion(&mut self, request: Built) -> Result<Answer, Failure>;

    /// Waits, unless the user wants to stop.
    fn wait(&mut self, span: Duration) -> Go;
}

/// A probe over the network.
pub(crate) struct LiveProbe<'a> {
    /// The server.
    pub(crate) target: &'a Target,
    /// The run's clock.
    pub(crate) clock: Clock,
    /// Time limit of one request.
    pub(crate) timeout: Duration,
    /// Whether the user wants to stop.
    pub(crate) interrupted: &'a dyn Fn() -> bool,
}

impl LiveProbe<'_> {
    fn go(&self) -> Go {
        if (self.interrupted)() {
            Go::Stop
        } else {
            Go::On
        }
    }
}

/// The same request, whatever index is asked for.
struct Single(Built);

impl RequestSource for Single {
    fn build(&self, _index: u64) -> Built {
        self.0.clone()
    }
}

impl Probe for LiveProbe<'_> {
    fn models(&mut self) -> Result<Vec<ServedModel>, NoList> {
        let (target, timeout) = (self.target.clone(), self.timeout.min(LONGEST));
        let list = target.protocol.models();
        let ask = move || fetch::get(&target, list.path, timeout);
        let response = unless_stopped(ask, self.interrupted)
            .map_err(|error| format!("{error:#}"))?
            .ok_or("stopped")?
            .map_err(|error| no_list(&error))?;
        let path = list.path;
        if response.status != 200 {
            let status = response.status;
            return Err(format!("{path} answered with status {status}").into());
        }
        let models = list
            .read(&response.body)
            .ok_or_else(|| format!("{path} did not answer with a list of models in JSON"))?;
        let models = without_secrets(models, &self.target.secrets());
        match models.iter().find(|model| !is_plain(&model.id)) {
            Some(odd) => {
                Err(format!("{path} lists a model of no name: {}", quoted(&odd.id)).into())
            }
            None => Ok(models),
        }
    }

    fn completion(&mut self, request: Built) -> Result<Answer, Failure> {
        let source: Arc<dyn RequestSource> = Arc::new(Single(request));
        let plan = BatchPlan {
            dues: vec![Duration::ZERO],
            max_concurrency: Some(1),
            timeout: self.timeout.min(LONGEST),
            keep_text: false,
            first_index: 0,
            workers: 1,
            keep_alive: true,
        };
        let batch = run_batch(self.target, &source, &plan, self.clock, &mut |_| self.go())
            .map_err(Failure::from)?;
        let record = batch
            .records
            .into_iter()
            .next()
            .ok_or(BenchFault::NoRecord)?
            .record
            .to_record(false);
        Ok(Answer {
            outcome: record.outcome,
            prompt_tokens: record.prompt_tokens,
            detail: record.detail,
        })
    }

    fn wait(&mut self, span: Duration) -> Go {
        let until = self.clock.now() + span;
        // Nobody sends: the channel is only a timer that can be waited on.
        let (_keep_open, never) = mpsc::channel::<()>();
        while self.clock.now() < until && self.go() == Go::On {
            let left = until.since(self.clock.now());
            if never.recv_timeout(left.min(LOOK)).is_ok() {
                break;
            }
        }
        self.go()
    }
}
