//! Small requests before the load, one at a time: followed where the server sends them on, repeated
//! while it says that it is not ready.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::outcome::Outcome;
use plimsoll_core::quote::quoted;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::runner::Go;
use plimsoll_core::workload::Workload;

use super::patience::Patience;
use super::{News, PreflightError, PreflightOptions};
use crate::batch::{BatchPlan, run_batch};
use crate::clock::Clock;
use crate::dialect::Dialect;
use crate::error::LoadError;
use crate::fetch::{self, Followed, Response};
use crate::runtime;
use crate::source::{Built, RequestSource};
use crate::target::{Target, shown_address};

/// What a probe asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) prompt_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) timeout: Duration,
}

pub(super) struct Prober<'a> {
    /// The server, with the redirects that are known by now.
    pub(super) target: Target,
    pub(super) options: &'a PreflightOptions,
    patience: Patience,
    tell: &'a mut dyn FnMut(&News),
    /// How many have been asked: each has a prompt of its own.
    asked: u64,
}

struct One(Built);

impl RequestSource for One {
    fn build(&self, _index: u64) -> Built {
        self.0.clone()
    }
}

impl<'a> Prober<'a> {
    pub(super) fn new(
        target: &Target,
        options: &'a PreflightOptions,
        tell: &'a mut dyn FnMut(&News),
    ) -> Self {
        Self {
            target: target.clone(),
            options,
            patience: Patience::new(options.wait),
            tell,
            asked: 0,
        }
    }

    pub(super) fn workload(&self) -> &'a Workload {
        &self.options.workload
    }

    /// A page of the server, if it comes within `patience`.
    pub(super) fn get(
        &mut self,
        target: &Target,
        path: &str,
        patience: Duration,
    ) -> Result<Followed, PreflightError> {
        let page = Built {
            path: path.to_owned(),
            ..Built::default()
        };
        loop {
            let found = fetch::followed(target, "GET", &page, patience)?;
            if !self.waits(&found.response)? {
                return Ok(found);
            }
        }
    }

    /// One request with a prompt that no other has.
    pub(super) fn ask(
        &mut self,
        dialect: &Dialect,
        ask: Ask,
    ) -> Result<RequestRecord, PreflightError> {
        let prompts = Workload {
            prompt_seed: self.options.probe_seed,
            ..*self.workload()
        };
        let protocol = dialect.form.protocol;
        loop {
            self.asked += 1;
            let built = dialect.build(&prompts, self.asked, ask.prompt_tokens, ask.output_tokens);
            let record = self.send(&built, dialect, ask.timeout)?;
            let Outcome::HttpStatus { status } = record.outcome else {
                return Ok(record);
            };
            let target = self.target.clone().speaking(protocol);
            let is_to_be_repeated = match status {
                300..=399 => self.is_sent_on(&target, &built)?,
                429 | 503 => self.is_ready_in_time(&target, &built)?,
                _ => false,
            };
            if !is_to_be_repeated {
                return Ok(record);
            }
        }
    }

    fn send(
        &self,
        built: &Built,
        dialect: &Dialect,
        timeout: Duration,
    ) -> Result<RequestRecord, PreflightError> {
        let source: Arc<dyn RequestSource> = Arc::new(One(built.clone()));
        let plan = BatchPlan {
            dues: vec![Duration::ZERO],
            max_concurrency: None,
            timeout,
            keep_text: false,
            first_index: 0,
            workers: 1,
            keep_alive: true,
        };
        let target = self.target.clone().speaking(dialect.form.protocol);
        let batch = run_batch(&target, &source, &plan, Clock::start(), &mut |_| Go::On)?;
        let one = batch.records.into_iter().next();
        Ok(one.ok_or(LoadError::WorkerLost)?.record.to_record(false))
    }

    /// Whether the request is to be sent to another place on the same server.
    fn is_sent_on(&mut self, target: &Target, built: &Built) -> Result<bool, PreflightError> {
        let found = fetch::followed(target, "POST", built, self.options.timeout)?;
        redirected(target, &built.path, &found)?;
        let is_new = found.target.path(&built.path) != target.path(&built.path);
        if is_new {
            let to = shown_address(&found.target.path(&built.path));
            (self.tell)(&News::Moved { to: quoted(&to) });
        }
        self.target = found.target;
        Ok(is_new)
    }

    /// Whether the server takes the request in the time that it is given.
    fn is_ready_in_time(&mut self, target: &Target, built: &Built) -> Result<bool, PreflightError> {
        loop {
            let response = fetch::followed(target, "POST", built, self.options.timeout)?.response;
            if !matches!(response.status, 429 | 503) {
                return Ok(true);
            }
            if !self.waits(&response)? {
                return Ok(false);
            }
        }
    }

    /// Waits where the server says that it will be ready; `false` where there is nothing to wait for.
    fn waits(&mut self, response: &Response) -> Result<bool, PreflightError> {
        let status = response.status;
        let Some(pause) = self.patience.pause(status, response.retry_after_s) else {
            return Ok(false);
        };
        (self.tell)(&News::Waiting {
            status,
            said: quoted(&response.text()),
            pause,
            left: self.patience.left(),
        });
        let runtime = runtime::single_threaded().map_err(LoadError::Worker)?;
        runtime.block_on(async { tokio::time::sleep(pause).await });
        Ok(true)
    }
}

/// Whether a redirect was not followed, and why.
pub(super) fn redirected(
    target: &Target,
    path: &str,
    found: &Followed,
) -> Result<(), PreflightError> {
    match found.fault {
        None => Ok(()),
        Some(why) => Err(PreflightError::Redirected {
            url: target.url_of(path),
            to: found
                .response
                .location
                .as_deref()
                .map(|to| quoted(&shown_address(to))),
            why,
        }),
    }
}
