//! The result file: keys, order, units and name as `vllm bench serve` writes them
//! (compat-vllm.md §3), and after them keys of our own that start with `plimsoll_`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Zoned;
use plimsoll_load::batch::Batch;

use super::corrected::Corrected;
use super::failure::{BenchFault, Failure};
use super::json::{Json, Object, python_float};
use super::legacy::{Legacy, Request, Summary};
use super::load::rate_changes;
use super::metrics::percentile_word;
use super::settings::Settings;

/// A run that is over, and what the file says of it.
pub(crate) struct Finished<'a> {
    /// Its settings.
    pub(crate) settings: &'a Settings,
    /// The model's id.
    pub(crate) model_id: &'a str,
    /// Its name in requests.
    pub(crate) request_model: &'a str,
    /// When the command, and with it the run's clock, started.
    pub(crate) started: &'a Zoned,
    /// When requests were due.
    pub(crate) dues: &'a [Duration],
    /// The records.
    pub(crate) batch: &'a Batch,
    /// The numbers by vLLM's definitions.
    pub(crate) legacy: &'a Legacy,
    /// The corrected numbers.
    pub(crate) corrected: &'a Corrected,
    /// How prompts were written.
    pub(crate) style: &'a str,
}

/// Where the result of these settings goes.
pub(crate) fn path(settings: &Settings, model_id: &str, started: &Zoned) -> PathBuf {
    let output = &settings.output;
    let file = output
        .file
        .clone()
        .unwrap_or_else(|| file_name(settings, model_id, started));
    output
        .dir
        .as_ref()
        .map_or_else(|| PathBuf::from(&file), |dir| Path::new(dir).join(&file))
}

fn file_name(settings: &Settings, model_id: &str, started: &Zoned) -> String {
    let load = &settings.load;
    let label = settings
        .output
        .label
        .as_deref()
        .unwrap_or(&settings.backend_name);
    let rate = match load.ramp_up {
        Some(ramp) => format!(
            "ramp-up-{}-{}qps-{}",
            ramp.name(),
            ramp.start_rps,
            ramp.end_rps
        ),
        None => python_float(load.rate_per_s),
    };
    let cap = load
        .max_concurrency
        .map_or_else(String::new, |cap| format!("-concurrency{cap}"));
    let model = model_id.rsplit('/').next().unwrap_or_default();
    let (before, after) = (
        format!("{label}-{rate}qps{cap}-"),
        format!("-{}.json", date(started)),
    );
    // A label may name a directory as well.
    let in_name = before.len() - before.rfind('/').map_or(0, |slash| slash + 1);
    let room = LONGEST_FILE_NAME.saturating_sub(in_name + after.len());
    format!("{before}{}{after}", beginning(model, room))
}

/// Bytes of a file's name, on the file systems of Linux.
const LONGEST_FILE_NAME: usize = 255;

/// As much of a text as fits into so many bytes.
fn beginning(text: &str, room: usize) -> &str {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= room).last();
    &text[..end.unwrap_or(0)]
}

fn date(started: &Zoned) -> String {
    started.strftime("%Y%m%d-%H%M%S").to_string()
}

/// Makes the directory and sees whether the file can be written, before any load is put on.
pub(crate) fn check_path(path: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let path = path.to_owned();
        Failure::from(BenchFault::Result { path, error })
    };
    if path.is_symlink() && path.is_file() {
        return Err(failed(io::Error::other("it is a link to another file")));
    }
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    let existed = path.exists();
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(failed)?;
    if existed {
        Ok(())
    } else {
        fs::remove_file(path).map_err(failed)
    }
}

/// Writes the result, over the file or to its end.
pub(crate) fn save(result: &Object, path: &Path, append: bool) -> io::Result<()> {
    let text = result.to_text();
    if !append {
        return fs::write(path, text);
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let separator = if file.metadata()?.len() > 0 { "\n" } else { "" };
    file.write_all(format!("{separator}{text}").as_bytes())
}

/// The object of the result file, its keys in vLLM's order.
pub(crate) fn result(run: &Finished<'_>) -> Object {
    let mut object = Object::default();
    settings_keys(run, &mut object);
    total_keys(run, &mut object);
    array_keys(
        &run.legacy.requests,
        run.settings.output.detailed,
        &mut object,
    );
    let legacy = run.legacy;
    object.set("max_output_tokens_per_s", legacy.peak_tokens_per_s);
    object.set("max_concurrent_requests", legacy.peak_requests);
    object.set("rtfx", 0.0);
    if let Some(ramp) = run.settings.load.ramp_up {
        let changes = rate_changes(ramp, run.dues);
        let events = changes.iter().map(|change| rate_change(change, run));
        object.set("rps_change_events", Json::List(events.collect()));
    }
    let reported = &run.settings.reported;
    for metric in &reported.metrics {
        let summary = legacy.summary(*metric, &reported.percentiles);
        summary_keys("", metric.key(), &summary, &mut object);
    }
    own_keys(run, &mut object);
    object
}

fn settings_keys(run: &Finished<'_>, object: &mut Object) {
    let settings = run.settings;
    let tokenizer = settings.tokenizer.as_deref().unwrap_or(run.model_id);
    object.set("date", date(run.started));
    object.set("endpoint_type", settings.backend_name.as_str());
    object.set("backend", settings.backend_name.as_str());
    object.set("label", settings.output.label.as_deref());
    object.set("model_id", run.model_id);
    object.set(
        "tokenizer_id",
        (!settings.skip_tokenizer).then_some(tokenizer),
    );
    object.set("num_prompts", settings.num_prompts);
    for (key, value) in &settings.output.metadata {
        object.set(key.as_str(), value.as_str());
    }
    let load = &settings.load;
    object.set("request_rate", load.rate_per_s);
    object.set("burstiness", load.burstiness);
    object.set("max_concurrency", load.max_concurrency);
    if let Some(ramp) = load.ramp_up {
        object.set("ramp_up_strategy", ramp.name());
        object.set("ramp_up_start_rps", ramp.start_rps);
        object.set("ramp_up_end_rps", ramp.end_rps);
    }
}

fn total_keys(run: &Finished<'_>, object: &mut Object) {
    let legacy = run.legacy;
    object.set("duration", legacy.duration_s);
    object.set("completed", legacy.completed);
    object.set("failed", legacy.failed);
    object.set("total_input_tokens", legacy.input_tokens);
    object.set("total_output_tokens", legacy.output_tokens);
    object.set("request_throughput", legacy.requests_per_s());
    object.set("request_goodput", legacy.goodput_per_s);
    object.set("output_throughput", legacy.output_tokens_per_s());
    object.set("total_token_throughput", legacy.tokens_per_s());
}

/// Arrays with an entry for every request, failed ones included. Latencies and waits are kept
/// without `--save-detailed` too, as vLLM does.
fn array_keys(requests: &[Request], detailed: bool, object: &mut Object) {
    fn each<T: Into<Json>>(requests: &[Request], value: impl Fn(&Request) -> T) -> Json {
        Json::List(requests.iter().map(|one| value(one).into()).collect())
    }
    if detailed {
        object.set("input_lens", each(requests, |one| one.input_tokens));
        object.set("output_lens", each(requests, |one| one.output_tokens));
        object.set("ttfts", each(requests, |one| one.ttft_s));
        object.set("itls", each(requests, |one| one.itls_s.clone()));
    }
    object.set("latencies", each(requests, |one| one.latency_s));
    if detailed {
        object.set("start_times", each(requests, |one| one.start_s));
    }
    object.set("queue_times", each(requests, |one| one.queue_s));
    if detailed {
        object.set("generated_texts", each(requests, |one| one.text.clone()));
        object.set("errors", each(requests, |one| one.error.clone()));
    }
}

fn rate_change((rps, due): &(u32, Duration), run: &Finished<'_>) -> Json {
    let since_start = Duration::from_nanos(run.batch.started_at.as_nanos()) + *due;
    let at = jiff::SignedDuration::try_from(since_start)
        .ok()
        .and_then(|span| run.started.checked_add(span).ok())
        .unwrap_or_else(|| run.started.clone());
    let mut event = Object::default();
    event.set("rps", *rps);
    event.set(
        "timestamp",
        at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string(),
    );
    Json::Object(event)
}

fn summary_keys(prefix: &str, name: &str, summary: &Summary, object: &mut Object) {
    object.set(format!("{prefix}mean_{name}_ms"), summary.mean);
    object.set(format!("{prefix}median_{name}_ms"), summary.median);
    object.set(format!("{prefix}std_{name}_ms"), summary.std);
    for (percentile, value) in &summary.percentiles {
        let word = percentile_word(*percentile);
        object.set(format!("{prefix}p{word}_{name}_ms"), *value);
    }
}

fn own_keys(run: &Finished<'_>, object: &mut Object) {
    let corrected = run.corrected;
    object.set("plimsoll_version", env!("CARGO_PKG_VERSION"));
    if let Some(first) = &corrected.first_from_due_ms {
        summary_keys("plimsoll_", "ttft_from_due", first, object);
    }
    if let Some(first) = &corrected.first_from_sent_ms {
        summary_keys("plimsoll_", "ttft_from_sent", first, object);
    }
    object.set("plimsoll_peak_in_flight", corrected.peak_in_flight);
    object.set("plimsoll_send_lag_p99_ms", corrected.send_lag_p99_ms);
    let mut outcomes = Object::default();
    for (outcome, count) in &corrected.outcomes {
        outcomes.set(outcome.as_str(), *count);
    }
    object.set("plimsoll_outcomes", outcomes);
    object.set("plimsoll_request_model", run.request_model);
    object.set("plimsoll_prompts_sent_as", run.style);
    object.set("plimsoll_prompts_repeat_with_seed", run.settings.seed_given);
    object.set(
        "plimsoll_asked_prompt_tokens",
        corrected.prompt_tokens.map(|prompt| prompt.asked),
    );
    object.set(
        "plimsoll_server_prompt_tokens",
        corrected.prompt_tokens.map(|prompt| prompt.server),
    );
    object.set("plimsoll_token_source", corrected.token_source);
    object.set("plimsoll_interrupted", run.batch.interrupted);
    if run.settings.output.detailed {
        let outcomes = run.batch.records.iter().map(|one| one.record.outcome.key());
        object.set("plimsoll_outcome_of_request", outcomes.collect::<Vec<_>>());
    }
}

#[cfg(test)]
#[path = "result_tests.rs"]
mod tests;
