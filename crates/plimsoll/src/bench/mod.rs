//! `plimsoll bench serve`: a drop-in replacement for `vllm bench serve` and for the older
//! `benchmark_serving.py`, with the same options, output and result file (compat-vllm.md).
//!
//! | part | does |
//! |---|---|
//! | [`args`] | words → values, by one table of flags |
//! | [`settings`] | values → a checked run |
//! | [`mod@preflight`] | asks the server what has to be known before |
//! | [`body`], [`dataset`], [`load`] | what is sent, and when |
//! | [`legacy`], [`corrected`] | records → numbers: vLLM's definitions, and better ones |
//! | [`block`], [`result`] | numbers → stdout and the result file |
//!
//! Where it differs from vLLM, on purpose:
//! - exit code 1 if every request failed (`--exit-zero` gives vLLM's 0); after an interrupt it dies of
//!   the signal;
//! - error events inside a stream, streams cut short and answers without text are failures;
//! - without `--seed`, random prompts are new in every run, so that no prefix cache answers;
//! - warm-ups and the readiness check use prompts of their own;
//! - a result path that cannot be written stops the command before the run.

mod address;
mod args;
mod block;
mod body;
mod corrected;
mod dataset;
#[cfg(test)]
mod e2e_tests;
mod failure;
mod fault;
mod json;
mod late;
mod legacy;
#[cfg(test)]
mod legacy_fixture;
mod load;
mod metrics;
mod preflight;
mod probe;
mod result;
mod settings;
mod warning;
mod way_out;

pub(crate) use args::put_dotted;
pub(crate) use json::{Json, Object};

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::runner::Go;
use plimsoll_load::batch::{Batch, BatchPlan, BatchRecord, run_batch};
use plimsoll_load::clock::Clock;
use plimsoll_load::source::RequestSource;
use plimsoll_report::lang::Lang;

use crate::fault::Words;
use crate::limits;
use crate::secrets;
use body::Requests;
use corrected::Corrected;
use dataset::{Style, WARMUP_INDEX};
use failure::{BenchFault, EXIT_FAILED, EXIT_INTERRUPTED, Failure};
use legacy::Legacy;
use preflight::{Learned, preflight};
use probe::LiveProbe;
use result::Finished;
use settings::Settings;
use warning::Warning;

/// Parts of the run after which progress is told.
const PROGRESS_PARTS: usize = 4;

/// Where a run reads from and writes to.
struct Surroundings<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// That of errors and warnings.
    lang: Lang,
    interrupted: &'a dyn Fn() -> bool,
    clock: Clock,
    started: Zoned,
}

/// Runs `plimsoll bench serve` and returns its exit code.
///
/// Shape:    `argv` are the words after `bench serve`; `lang` is that of errors; `env` looks up `OPENAI_API_KEY`;
///           `interrupted` is asked several times a second.
/// Guarantees: the report goes to `out`, all else to `err`; nothing is sent before every argument
///           and the result path have been checked.
pub(crate) fn run(
    argv: &[String],
    lang: Lang,
    out: &mut dyn Write,
    err: &mut dyn Write,
    env: &dyn Fn(&str) -> Option<String>,
    interrupted: &dyn Fn() -> bool,
) -> i32 {
    let mut here = Surroundings {
        out,
        err,
        lang,
        interrupted,
        clock: Clock::start(),
        started: Zoned::now(),
    };
    here.command(argv, env).unwrap_or_else(|failure| {
        // If not even that can be written, the exit code has to do.
        let words = secrets::hidden(&failure.words(lang));
        writeln!(here.err, "{words}").unwrap_or_default();
        failure.code
    })
}

/// What `--help` prints, for tests.
#[cfg(test)]
pub(crate) fn help() -> String {
    args::help()
}

/// Reads a command line up to the schedule of its requests. Nothing is sent, and no file is read.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read(argv: &[String]) {
    let Ok(args::Command::Run(parsed)) = args::parse(argv) else {
        return;
    };
    if parsed.given("dataset-path") {
        return;
    }
    let settings = Settings::read(&parsed, &|_| None, 0, &mut |_| {});
    if let Ok(settings) = settings {
        // So many requests are their own test.
        drop(settings.load.dues(settings.num_prompts.min(1_000)));
    }
}

fn unwritable(error: io::Error) -> Failure {
    BenchFault::Report(error).into()
}

impl Surroundings<'_> {
    fn command(
        &mut self,
        argv: &[String],
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<i32, Failure> {
        let parsed = match args::parse(argv)? {
            args::Command::Run(parsed) => parsed,
            args::Command::Help => {
                write!(self.out, "{}", args::help()).map_err(unwritable)?;
                return Ok(0);
            }
        };
        let fresh = self.started.timestamp().as_nanosecond() as u64;
        let settings = Settings::read(&parsed, env, fresh, &mut |warning| self.warn(&warning))?;
        if settings.output.save {
            // The model may not be known yet, but a name that was typed or a directory is.
            result::check_path(&self.result_path(&settings, "unknown"))?;
        }
        self.say(&parsed.namespace())?;
        if !settings.temperature_given {
            self.say(
                "WARNING: vllm bench serve no longer sets temperature==0 by default, and neither \
                 does this: the server decides. Add --temperature 0 for greedy answers.",
            )?;
        }
        let learned = self.learn(&settings, fresh)?;
        self.measure(&settings, &learned)
    }

    fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .map_err(unwritable)
    }

    fn warn(&mut self, warning: &Warning) {
        // A warning that cannot be written must not stop the run.
        let (before, words) = match self.lang {
            Lang::En => ("warning: ", warning.to_string()),
            Lang::Zh => ("注意：", warning.zh()),
        };
        let words = secrets::hidden(&words);
        writeln!(self.err, "{before}{words}").unwrap_or_default();
    }

    fn result_path(&self, settings: &Settings, model_id: &str) -> PathBuf {
        result::path(settings, model_id, &self.started)
    }

    fn learn(&mut self, settings: &Settings, fresh: u64) -> Result<Learned, Failure> {
        self.say("Starting initial single prompt test run...")?;
        let waits = !settings.ready_timeout.is_zero();
        if waits {
            let seconds = settings.ready_timeout.as_secs();
            self.say(&format!(
                "Waiting for endpoint to become up in {seconds} seconds"
            ))?;
        } else {
            self.say("Skipping endpoint ready check.")?;
        }
        let id_prefix = settings
            .request_id_prefix
            .clone()
            .unwrap_or_else(|| format!("bench-{:08x}-", (fresh ^ (fresh >> 32)) as u32));
        let mut probe = LiveProbe {
            target: &settings.address.target,
            clock: self.clock,
            timeout: settings.timeout,
            interrupted: self.interrupted,
        };
        let learned = preflight(settings, &id_prefix, &mut probe, &mut |warning| {
            self.warn(&warning);
        })?;
        if waits {
            self.say("Initial test run completed.")?;
        }
        Ok(learned)
    }

    fn measure(&mut self, settings: &Settings, learned: &Learned) -> Result<i32, Failure> {
        let dues = settings
            .load
            .dues(settings.dataset.count(settings.num_prompts))?;
        let streams = settings.load.most_in_flight(dues.len());
        limits::check(streams, &settings.address.target)?;
        let source: Arc<dyn RequestSource> = Arc::new(Requests {
            writer: learned.writer.clone(),
            dataset: settings.dataset.clone(),
            style: learned.style,
        });
        self.warm_up(settings, &source)?;
        block::announce(&settings.load, self.out)
            .and_then(|()| self.out.flush())
            .map_err(unwritable)?;
        let plan = BatchPlan {
            dues: dues.clone(),
            max_concurrency: settings.load.max_concurrency,
            timeout: settings.timeout,
            keep_text: settings.output.save && settings.output.detailed,
            first_index: 0,
            workers: settings.load.workers(dues.len()),
            keep_alive: true,
        };
        let batch = self.carry(settings, &source, &plan)?;
        if batch.interrupted {
            let cut = |one: &&BatchRecord| {
                matches!(one.record.outcome, Outcome::CutAtEnd | Outcome::NeverSent)
            };
            self.warn(&Warning::Interrupted {
                ended: batch.records.len() - batch.records.iter().filter(cut).count(),
                all: dues.len(),
            });
        }
        if let Some(warning) = late::complaint(&settings.load, &batch) {
            self.warn(&warning);
        }
        self.report(settings, learned, &dues, &batch)
    }

    fn warm_up(
        &mut self,
        settings: &Settings,
        source: &Arc<dyn RequestSource>,
    ) -> Result<(), Failure> {
        if settings.num_warmups == 0 {
            return Ok(());
        }
        self.say(&format!(
            "Warming up with {} requests...",
            settings.num_warmups
        ))?;
        let plan = BatchPlan {
            dues: vec![Duration::ZERO; settings.num_warmups],
            max_concurrency: settings.load.max_concurrency,
            timeout: settings.timeout,
            keep_text: false,
            first_index: WARMUP_INDEX,
            workers: 1,
            keep_alive: true,
        };
        let target = &settings.address.target;
        let batch = run_batch(target, source, &plan, self.clock, &mut |_| self.go())
            .map_err(Failure::from)?;
        if batch.interrupted {
            return Err(preflight::stopped());
        }
        let completed = |one: &&BatchRecord| one.record.outcome.is_completed();
        let failed = plan.dues.len() - batch.records.iter().filter(completed).count();
        if failed > 0 {
            self.warn(&Warning::WarmUps {
                failed,
                all: plan.dues.len(),
            });
        }
        self.say("Warmup run completed.")
    }

    fn go(&self) -> Go {
        if (self.interrupted)() {
            Go::Stop
        } else {
            Go::On
        }
    }

    fn carry(
        &mut self,
        settings: &Settings,
        source: &Arc<dyn RequestSource>,
        plan: &BatchPlan,
    ) -> Result<Batch, Failure> {
        let total = plan.dues.len();
        let mut told = 0;
        let clock = self.clock;
        let mut on_progress = |ended: usize| {
            let go = self.go();
            let part = ended * PROGRESS_PARTS / total.max(1);
            if part > told && !settings.quiet && go == Go::On {
                told = part;
                // Progress that cannot be written must not stop the run.
                writeln!(self.err, "{ended} of {total} ended").unwrap_or_default();
            }
            go
        };
        let target = &settings.address.target;
        run_batch(target, source, plan, clock, &mut on_progress).map_err(Failure::from)
    }

    /// Prints, saves and decides the exit code. The file is saved even if stdout is closed.
    fn report(
        &mut self,
        settings: &Settings,
        learned: &Learned,
        dues: &[Duration],
        batch: &Batch,
    ) -> Result<i32, Failure> {
        let (load, reported) = (&settings.load, &settings.reported);
        let legacy = Legacy::new(batch, reported.goodput.as_ref());
        let corrected = Corrected::new(batch, load.max_concurrency, &reported.percentiles);
        let style = match learned.style {
            Style::TokenIds => "token ids",
            Style::Words(_) if settings.dataset.is_random() => "words",
            Style::Words(_) => "text",
        };
        let printed = block::failures(&legacy, self.out)
            .and_then(|()| block::block(&legacy, load, reported, self.out))
            .and_then(|()| block::own_block(&corrected, load, style, self.out))
            .and_then(|()| self.out.flush());
        if settings.output.save {
            let path = self.result_path(settings, &learned.model_id);
            let result = result::result(&Finished {
                settings,
                model_id: &learned.model_id,
                request_model: &learned.writer.model,
                started: &self.started,
                dues,
                batch,
                legacy: &legacy,
                corrected: &corrected,
                style,
            });
            result::save(&result, &path, settings.output.append).map_err(|error| {
                let path = path.clone();
                Failure::from(BenchFault::Result { path, error })
            })?;
        }
        printed.map_err(unwritable)?;
        Ok(exit_code(settings, &legacy, batch.interrupted))
    }
}

fn exit_code(settings: &Settings, legacy: &Legacy, interrupted: bool) -> i32 {
    if interrupted {
        EXIT_INTERRUPTED
    } else if legacy.completed == 0 && !settings.exit_zero {
        EXIT_FAILED
    } else {
        0
    }
}
