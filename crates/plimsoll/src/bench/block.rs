//! What is printed on stdout, line for line as `vllm bench serve` prints it (compat-vllm.md §2),
//! and after its closing line a small block of our own whose labels no script looks for.

use std::io::{self, Write};

use super::corrected::Corrected;
use super::json::python_float;
use super::legacy::{Legacy, Summary};
use super::load::Load;
use super::metrics::{Reported, percentile_word};

/// Most failed requests that are listed.
const LISTED_FAILURES: usize = 10;

/// Columns of the block.
const WIDTH: usize = 50;

/// The lines between the warm-up and the run.
pub(crate) fn announce(load: &Load, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Starting main benchmark run...")?;
    match load.ramp_up {
        Some(ramp) => {
            writeln!(out, "Traffic ramp-up strategy: {}.", ramp.name())?;
            writeln!(
                out,
                "Will increase RPS from {} to {} RPS over the duration of the benchmark.",
                ramp.start_rps, ramp.end_rps
            )?;
        }
        None => writeln!(
            out,
            "Traffic request rate: {}",
            python_float(load.rate_per_s)
        )?,
    }
    let law = if load.burstiness.total_cmp(&1.0).is_eq() {
        "Poisson process"
    } else {
        "Gamma distribution"
    };
    writeln!(
        out,
        "Burstiness factor: {} ({law})",
        python_float(load.burstiness)
    )?;
    let cap = load
        .max_concurrency
        .map_or_else(|| "None".to_owned(), |cap| cap.to_string());
    writeln!(out, "Maximum request concurrency: {cap}")
}

/// The first failed requests.
pub(crate) fn failures(legacy: &Legacy, out: &mut dyn Write) -> io::Result<()> {
    let failed: Vec<&str> = legacy
        .requests
        .iter()
        .filter(|request| request.failed)
        .map(|request| request.error.as_str())
        .take(LISTED_FAILURES)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "Failed requests during benchmark run detected (capping to {LISTED_FAILURES}):"
    )?;
    for (number, error) in failed.iter().enumerate() {
        writeln!(out, "Error {number}: {error}")?;
    }
    Ok(())
}

/// Writes the table of figures, label by label.
pub(crate) fn block(
    legacy: &Legacy,
    load: &Load,
    reported: &Reported,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{:=^WIDTH$}", " Serving Benchmark Result ")?;
    row(out, "Successful requests:", legacy.completed)?;
    row(out, "Failed requests:", legacy.failed)?;
    if let Some(cap) = load.max_concurrency {
        row(out, "Maximum request concurrency:", cap)?;
    }
    if load.is_finite() {
        number(out, "Request rate configured (RPS):", load.rate_per_s)?;
    }
    number(out, "Benchmark duration (s):", legacy.duration_s)?;
    row(out, "Total input tokens:", legacy.input_tokens)?;
    row(out, "Total generated tokens:", legacy.output_tokens)?;
    number(out, "Request throughput (req/s):", legacy.requests_per_s())?;
    if let Some(goodput) = legacy.goodput_per_s {
        number(out, "Request goodput (req/s):", goodput)?;
    }
    number(
        out,
        "Output token throughput (tok/s):",
        legacy.output_tokens_per_s(),
    )?;
    number(
        out,
        "Peak output token throughput (tok/s):",
        legacy.peak_tokens_per_s,
    )?;
    number(
        out,
        "Peak concurrent requests:",
        legacy.peak_requests as f64,
    )?;
    number(
        out,
        "Total token throughput (tok/s):",
        legacy.tokens_per_s(),
    )?;
    sections(legacy, reported, out)?;
    writeln!(out, "{:=^WIDTH$}", "")
}

/// One section a latency.
fn sections(legacy: &Legacy, reported: &Reported, out: &mut dyn Write) -> io::Result<()> {
    for metric in &reported.metrics {
        let (name, summary) = (
            metric.label(),
            legacy.summary(*metric, &reported.percentiles),
        );
        writeln!(out, "{:-^WIDTH$}", metric.title())?;
        number(out, &format!("Mean {name} (ms):"), summary.mean)?;
        number(out, &format!("Median {name} (ms):"), summary.median)?;
        for (percentile, value) in summary.percentiles {
            number(
                out,
                &format!("P{} {name} (ms):", percentile_word(percentile)),
                value,
            )?;
        }
    }
    Ok(())
}

/// Our own rows. No label holds a word sequence of the block above: scripts find their rows by it.
pub(crate) fn own_block(
    corrected: &Corrected,
    load: &Load,
    style: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{:=^WIDTH$}", " Plimsoll ")?;
    let firsts = [
        ("First output from sending", &corrected.first_from_sent_ms),
        ("First output from due time", &corrected.first_from_due_ms),
    ];
    for (name, first) in firsts {
        if let Some(first) = first {
            first_output(name, first, out)?;
        }
    }
    row(
        out,
        "Most in flight at any moment:",
        corrected.peak_in_flight,
    )?;
    let label = if load.max_concurrency.is_some() {
        "Late behind a free slot, p99 (ms):"
    } else {
        "Late behind the schedule, p99 (ms):"
    };
    if let Some(lag) = corrected.send_lag_p99_ms {
        number(out, label, lag)?;
    }
    row(out, "Prompts sent as:", style)?;
    if let Some(prompt) = corrected.prompt_tokens {
        row(out, "Prompt length asked for (tokens):", prompt.asked)?;
        row(out, "Prompt length by the server (tokens):", prompt.server)?;
    }
    if let Some(source) = corrected.token_source {
        row(out, "Output tokens counted by:", source)?;
    }
    for (outcome, count) in &corrected.outcomes {
        if outcome != "completed" {
            row(out, &format!("Ended as {outcome}:"), *count)?;
        }
    }
    writeln!(out, "{:=^WIDTH$}", "")
}

fn first_output(name: &str, first: &Summary, out: &mut dyn Write) -> io::Result<()> {
    number(out, &format!("{name}, avg (ms):"), first.mean)?;
    number(out, &format!("{name}, mid (ms):"), first.median)?;
    for (percentile, value) in &first.percentiles {
        let word = percentile_word(*percentile);
        number(out, &format!("{name}, p{word} (ms):"), *value)?;
    }
    Ok(())
}

fn row(out: &mut dyn Write, label: &str, value: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "{label:<40} {:<10}", value.to_string())
}

fn number(out: &mut dyn Write, label: &str, value: f64) -> io::Result<()> {
    row(out, label, format!("{value:.2}"))
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
