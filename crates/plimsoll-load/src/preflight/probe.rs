//! One request before the load, with a prompt that the load will not use.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::runner::Go;
use plimsoll_core::workload::Workload;

use super::{PROBE_TOKENS, PreflightError, PreflightOptions};
use crate::batch::{BatchPlan, BatchRecord, run_batch};
use crate::clock::Clock;
use crate::dialect::Dialect;
use crate::source::{Built, RequestSource};
use crate::target::Target;

/// Probes take their prompts from the far end, so that none is sent again under load.
const FAR_END: u64 = u64::MAX / 4;

pub(super) struct Prober<'a> {
    pub(super) target: &'a Target,
    pub(super) options: &'a PreflightOptions,
    pub(super) model: &'a str,
}

struct One(Built);

impl RequestSource for One {
    fn build(&self, _index: u64) -> Built {
        self.0.clone()
    }
}

impl Prober<'_> {
    pub(super) fn workload(&self) -> &Workload {
        &self.options.workload
    }

    /// One short answer to a prompt of `prompt_tokens`.
    pub(super) fn ask(
        &self,
        dialect: &Dialect,
        prompt_tokens: u32,
    ) -> Result<BatchRecord, PreflightError> {
        let index =
            FAR_END + u64::from(prompt_tokens) * 2 + u64::from(dialect.calibration.is_some());
        let output_tokens = self.workload().output.mean_tokens().min(PROBE_TOKENS);
        let source: Arc<dyn RequestSource> = Arc::new(One(dialect.build(
            self.workload(),
            index,
            prompt_tokens,
            output_tokens,
        )));
        let plan = BatchPlan {
            dues: vec![Duration::ZERO],
            max_concurrency: None,
            timeout: self.options.timeout,
            keep_text: false,
            first_index: 0,
            workers: 1,
            keep_alive: true,
        };
        let target = self.target.clone().speaking(dialect.protocol);
        let batch = run_batch(&target, &source, &plan, Clock::start(), &mut |_| Go::On)?;
        batch
            .records
            .into_iter()
            .next()
            .ok_or(PreflightError::Load(crate::error::LoadError::WorkerLost))
    }

    /// Prompt tokens that the server counts for a prompt of `words`.
    pub(super) fn measure_words(
        &self,
        dialect: &Dialect,
        words: u32,
    ) -> Result<Option<u32>, PreflightError> {
        let plain = Dialect {
            calibration: None,
            ..dialect.clone()
        };
        Ok(self.ask(&plain, words)?.record.prompt_tokens)
    }
}
