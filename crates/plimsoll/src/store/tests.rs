//! A run folder cut at every byte: what was finished comes back, or the reason why not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use plimsoll_core::judge::Confidence;
use plimsoll_core::level::{
    FinishedLevel, Hold, LevelPlan, LevelSettings, Load, OpenLoop, Purpose,
};
use plimsoll_core::protocol::{PromptForm, Protocol};
use plimsoll_core::record::RequestTrace;
use plimsoll_core::run::{
    BodyPlan, Connection, Goal, HttpVersion, RunPlan, SearchPlan, ServerInfo,
};
use plimsoll_core::runner::{Go, Runner};
use plimsoll_core::search::{Axis, Ladder, Rules};
use plimsoll_core::telemetry::{Counter, Gauge, ServerWindow, Signals, Source};
use plimsoll_core::time::Offset;
use plimsoll_core::workload::{LengthLaw, Workload};
use plimsoll_sim::{Profile, VirtualRunner};
use serde_json::json;

use super::disk::Os;
use super::*;
use crate::machine;

const LEVELS: u32 = 2;

/// A small run that was killed after its second level, and what `run.json` was after each level.
struct Killed {
    folder: tempfile::TempDir,
    run_files: Vec<Vec<u8>>,
    held: Vec<Held>,
}

/// A level, and the requests that ended on it.
pub(super) struct Held {
    pub(super) level: FinishedLevel,
    pub(super) requests: Vec<RequestTrace>,
}

impl Killed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::create(
            Some(directory.path()),
            (jiff::Timestamp::UNIX_EPOCH, "find"),
        )
        .unwrap();
        let event = started();
        folder.event(&event).unwrap();
        let mut run = Run::begin(event).unwrap();
        let mut run_files = Vec::new();
        let held = levels(LEVELS);
        for Held { level, requests } in &held {
            let sum = added(&folder, requests);
            folder.signals(&level.samples).unwrap();
            let event = finished(level, sum);
            folder.event(&event).unwrap();
            run.apply(event);
            folder.run(&run).unwrap();
            run_files.push(fs::read(directory.path().join(RUN)).unwrap());
        }
        // The requests of a level that never ended.
        let mut unfinished = folder.requests().unwrap();
        unfinished.add(held[1].requests.iter().take(2)).unwrap();
        drop(unfinished);
        folder.signals(&later(&held)).unwrap();
        Self {
            folder: directory,
            run_files,
            held,
        }
    }

    fn levels(&self) -> impl Iterator<Item = &FinishedLevel> {
        self.held.iter().map(|held| &held.level)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    fn look(&self) -> Result<Saved, String> {
        Saved::look(self.path()).map_err(|(name, why)| format!("{name} {why}"))
    }

    fn refused(&self) -> String {
        self.look().map(|_| "not refused").unwrap_err()
    }

    /// Cuts the files, adds what a run would add, and reads them again.
    fn goes_on(&self, saved: &Saved) -> Saved {
        saved.cut(&Os).unwrap();
        let again = self.look().unwrap();
        assert_eq!(again.run, saved.run);
        let folder = Folder::open(self.path()).unwrap();
        let resumed = RunEvent::Resumed {
            started_utc: "1970-01-01T00:00:09Z".to_owned(),
            at_s: saved.clock_goes_on_at().as_secs_f64(),
            next_level: saved.levels,
            first_request: saved.first_request(),
            budget_s: None,
        };
        folder.event(&resumed).unwrap();
        for Held { level, requests } in &self.held[saved.levels as usize..] {
            let sum = added(&folder, requests);
            folder.signals(&level.samples).unwrap();
            folder.event(&finished(level, sum)).unwrap();
        }
        drop(folder);
        self.look().unwrap()
    }
}

pub(super) fn started() -> RunEvent {
    let lengths = LengthLaw::Uniform {
        mean_tokens: 8,
        spread_ratio: 0.0,
    };
    RunEvent::RunStarted {
        schema_version: plimsoll_core::run::SCHEMA_VERSION,
        started_utc: "1970-01-01T00:00:00Z".to_owned(),
        plan: Box::new(RunPlan {
            target: "sim:toy".to_owned(),
            engine: None,
            model: None,
            endpoint: None,
            proxy: None,
            connection: Some(Connection::default()),
            preset: None,
            goal: goal(),
            slo: "ttft p95 <= 1s".parse().unwrap(),
            slo_given: true,
            confidence: Confidence::DEFAULT,
            workload: None,
            input_len: lengths,
            output_len: lengths,
            think_time_s: None,
            think_time_is_fixed: false,
            user_think_time_s: None,
            burst: false,
            lockstep: false,
            timeout_s: 120.0,
            keeps_alive: true,
            keeps_requests: true,
            seed: 0,
            prompt_seed: None,
            body: BodyPlan::default(),
            arguments: Vec::new(),
        }),
        environment: machine::describe(1),
        server: Box::new(server()),
    }
}

fn goal() -> Goal {
    Goal::Search(SearchPlan {
        tiers: Vec::new(),
        axis: Axis::Streams,
        rules: Rules {
            least_growth: 0.2,
            growth_stops: false,
            resources_stop: false,
        },
        ladder: Ladder::Doubling,
        start: 2,
        max_concurrency: 8,
        max_rate_per_s: 1.0,
        burstiness: 1.0,
        confirm: false,
        level_time_s: None,
        budget_s: 1.0,
        headroom_ratio: 0.75,
    })
}

fn server() -> ServerInfo {
    ServerInfo {
        url: "http://127.0.0.1:1".to_owned(),
        http: HttpVersion::Http1,
        kind: None,
        model: "sim".to_owned(),
        max_model_len_tokens: None,
        endpoint: Protocol::Completions,
        reports_usage: true,
        honours_output_len: Some(true),
        left_out: Vec::new(),
        prompt_form: PromptForm::TokenIds,
        prompt_tokens_measured: None,
        has_metrics: false,
    }
}

/// Adds the requests of a level as they end, one by one, and returns the sum of their lines.
fn added(folder: &Folder, requests: &[RequestTrace]) -> u32 {
    let mut lines = folder.requests().unwrap();
    for one in requests {
        lines.add(std::iter::once(one)).unwrap();
    }
    lines.end().unwrap()
}

/// The first levels of a run.
pub(super) fn levels(count: u32) -> Vec<Held> {
    let workload = Workload::uniform(8, 2, 0.0, 1);
    let engine = Profile::named("toy").unwrap().engine;
    let mut runner = VirtualRunner::new(engine, workload, 1);
    let slo = "ttft p95 <= 1s".parse().unwrap();
    let level = |index| {
        let mut requests = Vec::new();
        let Ok(level) = runner.run_level(level_plan(index), &slo, &mut |progress| {
            requests.extend_from_slice(progress.ended);
            Go::On
        });
        Held {
            level: sampled(level),
            requests,
        }
    };
    (0..count).map(level).collect()
}

pub(super) fn level_plan(index: u32) -> LevelPlan {
    LevelPlan {
        index,
        purpose: Purpose::Ramp,
        load: Load::Streams(index + 1),
        settings: LevelSettings::default(),
        open_loop: OpenLoop::default(),
        hold: Hold::Short,
        request_time: Duration::from_millis(1),
        // A few requests: the smaller the files, the sooner each byte of them is tried.
        longest_hold: Duration::from_millis(8),
        longest: Duration::from_secs(60),
    }
}

/// The level as a server with a metrics page would have shown it, sampled at three moments.
fn sampled(mut level: FinishedLevel) -> FinishedLevel {
    let (from, to) = level.summary.span();
    let half = Offset::from_nanos(from.as_nanos().midpoint(to.as_nanos()));
    let first = Offset::from_secs_f64(level.summary.started_s) + Duration::from_nanos(1);
    level.samples = [first, half, to].map(sample).to_vec();
    level.summary.server = ServerWindow::of(&level.samples, from, to);
    level
}

/// What was sampled on a level that never ended.
fn later(levels: &[Held]) -> [Sample; 2] {
    let last = levels.last().unwrap().level.summary.ended_at();
    [1, 2].map(|ms| sample(last + Duration::from_millis(ms)))
}

fn sample(at: Offset) -> Sample {
    let mut signals = Signals::default();
    signals.set_gauge(Gauge::Running, at.as_secs_f64() / 3.0);
    signals.set_counter(Counter::PreemptionsTotal, 4.0);
    Sample {
        at,
        source: Source::Server,
        signals,
    }
}

pub(super) fn finished(level: &FinishedLevel, sum: u32) -> RunEvent {
    RunEvent::LevelFinished {
        level: Box::new(level.summary.clone()),
        in_flight: level.in_flight.clone(),
        requests_crc32: Some(sum),
    }
}

/// The ends of the lines, without their newlines: up to there a line counts.
fn line_ends(bytes: &[u8]) -> Vec<usize> {
    let newline = |at: &usize| bytes[*at] == b'\n';
    (0..bytes.len()).filter(newline).collect()
}

#[test]
fn a_log_cut_at_any_byte_keeps_every_level_whose_line_is_whole() {
    let killed = Killed::new();
    let whole = killed.bytes(EVENTS);
    let ends = line_ends(&whole);
    for length in 0..=whole.len() {
        killed.write(EVENTS, &whole[..length]);
        let lines = ends.iter().filter(|end| length >= **end).count();
        // What `run.json` was when the power went: it follows the log.
        match lines.checked_sub(2) {
            Some(level) => killed.write(RUN, &killed.run_files[level]),
            None => drop(fs::remove_file(killed.path().join(RUN))),
        }
        if lines == 0 {
            let why = killed.refused();
            assert!(
                why.contains("does not begin with the start of a run"),
                "{length}: {why}"
            );
            continue;
        }
        let saved = killed.look().unwrap();
        assert_eq!(saved.levels as usize, lines - 1, "{length}");
        let levels = killed.levels().map(|level| &level.summary);
        assert!(
            saved.run.levels.iter().eq(levels.take(lines - 1)),
            "{length}"
        );
    }
}

#[test]
fn a_log_that_lost_what_the_run_file_knows_is_refused() {
    let killed = Killed::new();
    let whole = killed.bytes(EVENTS);
    let last = line_ends(&whole)[1];
    for length in [last + 1, last + 2, whole.len() - 2] {
        killed.write(EVENTS, &whole[..length]);
        let why = killed.refused();
        assert!(
            why.starts_with("run.json knows 2 levels"),
            "{length}: {why}"
        );
    }
}

#[test]
fn requests_cut_at_any_byte_are_whole_or_refused() {
    let killed = Killed::new();
    let whole = killed.bytes(REQUESTS);
    let records: usize = killed.levels().map(|level| level.records.len()).sum();
    let needed = line_ends(&whole)[records - 1];
    for length in 0..=whole.len() {
        killed.write(REQUESTS, &whole[..length]);
        match killed.look() {
            Ok(saved) => {
                assert!(length >= needed, "{length}");
                assert_eq!(saved.levels, LEVELS);
            }
            Err(why) => {
                assert!(length < needed, "{length}: {why}");
                assert!(why.contains("requests.jsonl"), "{why}");
            }
        }
    }
}

/// Whether the log states the sum of the lines or, as those of older versions, does not.
fn without_sums(log: &[u8]) -> Vec<u8> {
    let log = String::from_utf8(log.to_vec()).unwrap();
    let lines = log.lines().map(|line| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        let fields = event.as_object_mut().unwrap();
        drop(fields.remove("requests_crc32"));
        format!("{event}\n")
    });
    lines.collect::<String>().into_bytes()
}

/// The request lines without one of them, with one twice, and with two exchanged. The last is left
/// as it is: twice, it stands where a level that never ended has its requests.
fn mixed_up(whole: &[u8], lines: usize) -> Vec<Vec<u8>> {
    let all: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let mut mixed = Vec::new();
    for at in 0..lines - 1 {
        let (mut lost, mut doubled, mut swapped) = (all.clone(), all.clone(), all.clone());
        let _ = lost.remove(at);
        doubled.insert(at, all[at]);
        swapped.swap(at, at + 1);
        mixed.extend([lost, doubled, swapped].map(|lines| lines.concat()));
    }
    mixed
}

#[test]
fn requests_that_were_lost_doubled_or_exchanged_are_refused() {
    let killed = Killed::new();
    let whole = killed.bytes(REQUESTS);
    let records: usize = killed.levels().map(|level| level.records.len()).sum();
    for mixed in mixed_up(&whole, records) {
        killed.write(REQUESTS, &mixed);
        let why = killed.refused();
        assert!(why.starts_with(REQUESTS), "{why}");
    }
    // Of another run.
    let other = String::from_utf8(whole)
        .unwrap()
        .replace("\"done_ns\":", "\"done_ns\":1");
    killed.write(REQUESTS, other.as_bytes());
    assert!(killed.refused().contains("requests.jsonl"));
}

/// What no sum tells, the numbers, stamps and ends of the requests do, but for an exchange.
#[test]
fn requests_of_a_log_without_sums_are_held_against_what_their_levels_say() {
    let killed = Killed::new();
    killed.write(EVENTS, &without_sums(&killed.bytes(EVENTS)));
    killed.look().unwrap().cut(&Os).unwrap();
    let whole = killed.bytes(REQUESTS);
    let records: usize = killed.levels().map(|level| level.records.len()).sum();
    for mixed in mixed_up(&whole, records).chunks(3) {
        for lost_or_doubled in &mixed[..2] {
            killed.write(REQUESTS, lost_or_doubled);
            let why = killed.refused();
            assert!(why.starts_with(REQUESTS), "{why}");
        }
    }
    for (field, value, why) in [
        (
            "outcome",
            json!({"kind": "reset"}),
            "does not have the requests",
        ),
        ("done_ns", json!(0), "stamps that cannot be, in line 1"),
        (
            "done_ns",
            json!(1_u64 << 60),
            "stamps that cannot be, in line 1",
        ),
    ] {
        killed.write(REQUESTS, &with_first(&whole, field, value));
        let refused = killed.refused();
        assert!(refused.contains(why), "{refused}");
    }
}

/// The lines with another value in a field of the first.
fn with_first(lines: &[u8], field: &str, value: serde_json::Value) -> Vec<u8> {
    let end = line_ends(lines)[0];
    let mut line: serde_json::Value = serde_json::from_slice(&lines[..end]).unwrap();
    assert_ne!(line[field], value);
    line[field] = value;
    [line.to_string().as_bytes(), &lines[end..]].concat()
}

#[test]
fn signals_cut_at_any_byte_give_what_the_levels_say_or_are_refused() {
    let killed = Killed::new();
    let whole = killed.bytes(SIGNALS);
    let samples: usize = killed.levels().map(|level| level.samples.len()).sum();
    let needed = line_ends(&whole)[samples - 1];
    for length in 0..=whole.len() {
        killed.write(SIGNALS, &whole[..length]);
        match killed.look() {
            Ok(saved) => {
                assert!(length >= needed, "{length}");
                assert_eq!(saved.levels, LEVELS);
            }
            Err(why) => {
                assert!(length < needed, "{length}: {why}");
                assert!(why.contains("signals.jsonl does not give"), "{why}");
            }
        }
    }
    fs::remove_file(killed.path().join(SIGNALS)).unwrap();
    assert!(killed.refused().contains("samples of it are missing"));
    killed.write(SIGNALS, &[b"{}\n", whole.as_slice()].concat());
    assert!(killed.refused().contains("line 1 is no sample"));
}

#[test]
fn a_run_file_cut_at_any_byte_is_made_anew() {
    let killed = Killed::new();
    let whole = killed.bytes(RUN);
    let log = killed.look().unwrap().run;
    for length in 0..whole.len() {
        killed.write(RUN, &whole[..length]);
        let is_current = saved::check_run_file(killed.path(), &log);
        // The last byte is a newline.
        assert_eq!(is_current.unwrap(), length + 1 == whole.len(), "{length}");
    }
    killed.write(RUN, &whole[..whole.len() / 2]);
    assert_eq!(killed.look().unwrap().levels, LEVELS);
}

#[test]
fn a_run_goes_on_after_its_torn_ends_are_cut_off() {
    let whole = Killed::new().bytes(EVENTS);
    let ends = line_ends(&whole);
    for length in [
        ends[0],
        ends[1],
        ends[1] + 1,
        ends[1] + 40,
        ends[2],
        ends[2] + 1,
    ] {
        let killed = Killed::new();
        killed.write(EVENTS, &whole[..length]);
        fs::remove_file(killed.path().join(RUN)).unwrap();
        let mut requests = killed.bytes(REQUESTS);
        requests.truncate(requests.len() - 7);
        killed.write(REQUESTS, &requests);
        let mut signals = killed.bytes(SIGNALS);
        signals.truncate(signals.len() - 7);
        killed.write(SIGNALS, &signals);
        let saved = killed.look().unwrap();
        let end = killed.goes_on(&saved);
        assert_eq!(end.levels, LEVELS, "{length}");
        assert_eq!(end.run.resumptions.len(), 1);
        let mut records = end.requests().unwrap();
        for (level, in_flight) in killed.levels().zip(&end.in_flight) {
            assert_eq!(&level.in_flight, in_flight);
            assert_eq!(
                records.level(&level.summary, false).unwrap().len(),
                level.records.len()
            );
        }
        assert_eq!(records.whole().bytes, killed.bytes(REQUESTS).len() as u64);
        let samples: usize = killed.levels().map(|level| level.samples.len()).sum();
        assert_eq!(line_ends(&killed.bytes(SIGNALS)).len(), samples);
    }
}

#[test]
fn numbers_and_times_go_on_above_all_that_was_used() {
    let killed = Killed::new();
    let first = killed.look().unwrap();
    let last = &killed.held.last().unwrap().level;
    let end = last.summary.started_s + last.summary.duration_s;
    assert!(first.clock_goes_on_at().as_secs_f64() > end);
    let used = killed.levels().flat_map(|level| &level.records);
    assert!(used.map(|record| record.id).max() < Some(first.first_request()));
    let second = killed.goes_on(&first);
    assert!(second.first_request() > first.first_request());
    assert!(second.clock_goes_on_at() > first.clock_goes_on_at());
}

#[test]
fn what_is_no_torn_end_is_refused_with_its_reason() {
    let killed = Killed::new();
    let log = String::from_utf8(killed.bytes(EVENTS)).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let newer = log.replacen("\"schema_version\":2", "\"schema_version\":9", 1);
    let half = &lines[1][..50];
    let table = [
        (
            format!("{}\n{half}\n{}\n", lines[0], lines[2]),
            "line 2 is no event",
        ),
        (
            format!("{}\n{}\n", lines[0], lines[2]),
            "level 1 follows where level 0 is due",
        ),
        (format!("{log}{}\n", lines[0]), "two runs"),
        (format!("{}\n", lines[1]), "does not begin"),
        (newer, "schema version 9"),
        (log.replace(":00:00Z", ":00:01Z"), "another run"),
    ];
    let by_hand = [
        (
            "\"budget_s\":1.0",
            "\"budget_s\":-1.0",
            "impossible `budget_s`: -1 seconds",
        ),
        (
            "\"timeout_s\":120.0",
            "\"timeout_s\":1e300",
            "impossible `timeout_s`",
        ),
        (
            "\"level_time_s\":null",
            "\"level_time_s\":-2.5",
            "impossible `level_time_s`",
        ),
        (
            "\"think_time_s\":null",
            "\"think_time_s\":1e20",
            "impossible `think_time_s`",
        ),
        (
            "\"duration_s\":",
            "\"duration_s\":-",
            "impossible `duration_s`",
        ),
        (
            "\"due\":",
            "\"due\":9",
            "level 0 whose requests do not add up",
        ),
        (
            "\"carried_out\":",
            "\"carried_out\":18446744073709551615, \"unread\":",
            "level 0 whose requests do not add up",
        ),
        (
            "\"started_s\":",
            "\"started_s\":-9e99, \"unread\":",
            "impossible `started_s`",
        ),
    ];
    let by_hand = by_hand.map(|(was, is, expected)| (log.replacen(was, is, 1), expected));
    for (text, expected) in table.into_iter().chain(by_hand) {
        killed.write(EVENTS, text.as_bytes());
        let why = killed.refused();
        assert!(why.contains(expected), "{why}");
    }
    killed.write(EVENTS, log.as_bytes());
    let requests = killed.bytes(REQUESTS);
    let text = String::from_utf8(requests)
        .unwrap()
        .replacen("{\"id\"", "{\"di\"", 1);
    killed.write(REQUESTS, text.as_bytes());
    assert!(
        killed
            .refused()
            .contains("line 1, of level 0, is no request")
    );
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    for name in [EVENTS, RUN, REQUESTS, SIGNALS] {
        let killed = Killed::new();
        let path = killed.path().join(name);
        fs::remove_file(&path).unwrap();
        // It opens, and every read of it fails.
        fs::create_dir(&path).unwrap();
        let why = killed.refused();
        assert!(why.starts_with(&format!("{name} cannot be read")), "{why}");
    }
}

#[test]
fn a_run_that_goes_on_is_not_resumed_beside_itself() {
    let killed = Killed::new();
    let first = Folder::open(killed.path()).unwrap();
    let second = Folder::open(killed.path()).map(|_| ()).unwrap_err();
    assert!(second.to_string().contains("still going on"), "{second}");
    drop(first);
    assert!(Folder::open(killed.path()).is_ok());
}
