//! Folders that version 1 wrote: a search of streams with a requests file, one of rates, and one
//! with two SLOs.

use std::fs;
use std::path::Path;

use super::super::{Format, Run, RunEvent, SCHEMA_VERSION};
use crate::level::Reason;
use crate::load::Load;
use crate::slo::Objective;
use crate::verdict::{Capacity, CauseDetail, VerdictKind};

const FOLDERS: [&str; 3] = ["streams", "rate", "tiers"];

fn file(folder: &str, name: &str) -> Vec<u8> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run-v1");
    fs::read(folders.join(folder).join(name)).unwrap()
}

fn run(folder: &str) -> Run {
    let bytes = file(folder, "run.json");
    let format = Format::of(&bytes).unwrap();
    assert_eq!(format, Format::V1);
    format.run(&bytes).unwrap()
}

/// A file that is torn, or of somebody else, is refused and not trusted.
#[test]
fn what_is_no_run_of_version_1_is_refused() {
    for text in [
        r"[1]",
        r#"{"schema_version":1}"#,
        r#"{"schema_version":1,"levels":[3],"tiers":[1],"plan":2,"verdict":"x"}"#,
        r#"{"schema_version":1,"levels":3,"verdict":{"cause":4,"capacity":[]}}"#,
    ] {
        let format = Format::of(br#"{"schema_version":1}"#).unwrap();
        assert!(format.run(text.as_bytes()).is_err(), "{text}");
    }
    let format = Format::of(br#"{"schema_version":1}"#).unwrap();
    for line in [
        "[1]",
        r#"{"event":"level_finished","level":3}"#,
        r#"{"event":"run_started"}"#,
    ] {
        assert!(format.event(line.as_bytes()).is_err(), "{line}");
    }
}

#[test]
fn the_log_of_version_1_says_what_its_run_file_says() {
    for folder in FOLDERS {
        let log = file(folder, "events.jsonl");
        let lines = || {
            log.split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
        };
        let format = Format::of(lines().next().unwrap()).unwrap();
        let events: Vec<RunEvent> = lines().map(|line| format.event(line).unwrap()).collect();
        let run = run(folder);
        assert_eq!(run.schema_version, SCHEMA_VERSION);
        assert_eq!(Run::replay(events), Some(run), "{folder}");
    }
}

#[test]
fn a_run_that_was_upgraded_is_a_run_of_today() {
    for folder in FOLDERS {
        let upgraded = run(folder);
        let written = serde_json::to_vec(&upgraded).unwrap();
        let format = Format::of(&written).unwrap();
        assert_eq!(format, Format::Current);
        assert_eq!(format.run(&written).unwrap(), upgraded, "{folder}");
    }
}

/// The texts are `ttft p95 ≤ 1 s` and `3 running, 8 waiting`.
#[test]
fn texts_become_kinds_with_their_numbers() {
    let run = run("streams");
    let broken = Reason::from("ttft p95 <= 1s".parse::<Objective>().unwrap());
    let verdict = run.verdict.unwrap();
    assert_eq!(verdict.broken_by, Some(broken.into()));
    let queue = CauseDetail::Queue {
        running: 3.0,
        waiting: 8.0,
    };
    assert_eq!(verdict.cause.unwrap().detail, Some(queue));
    let reasons: Vec<Reason> = run.levels.iter().filter_map(|level| level.reason).collect();
    assert_eq!(reasons, [broken; 2]);
}

/// The numbers are those of the files.
#[test]
fn streams_keep_their_capacity_and_their_advice() {
    let verdict = run("streams").verdict.unwrap();
    assert_eq!(verdict.kind, VerdictKind::Capacity);
    let capacity = Capacity {
        at: Load::Streams(8),
        lower: Load::Streams(3),
        upper: Some(Load::Streams(15)),
    };
    assert_eq!(verdict.capacity, Some(capacity));
    let advice = verdict.recommended.unwrap();
    assert_eq!(advice.cap, Load::Streams(3));
    assert!((advice.mean_amount - 0.8).abs() < 1e-12, "{advice:?}");
    assert!(advice.exceeds_cap_ratio.is_some_and(|ratio| ratio < 0.0101));
}

#[test]
fn rates_keep_their_capacity_and_their_advice() {
    let verdict = run("rate").verdict.unwrap();
    let capacity = Capacity {
        at: Load::RatePerS(41.0),
        lower: Load::RatePerS(33.6),
        upper: Some(Load::RatePerS(49.5)),
    };
    assert_eq!(verdict.capacity, Some(capacity));
    let advice = verdict.recommended.unwrap();
    assert_eq!(advice.cap, Load::RatePerS(33.6));
    assert!((advice.mean_amount - 25.2).abs() < 1e-12, "{advice:?}");
    assert_eq!(advice.exceeds_cap_ratio, None);
}

#[test]
fn each_tier_keeps_its_own() {
    let tiers = run("tiers").tiers;
    let found: Vec<Load> = tiers
        .iter()
        .map(|tier| tier.verdict.capacity.unwrap().at)
        .collect();
    assert_eq!(found, [27, 86].map(Load::Streams));
}

#[test]
fn the_plan_has_its_goal_apart() {
    let plan = run("tiers").plan;
    let search = plan.search().unwrap();
    assert_eq!(search.tiers.len(), 2);
    assert_eq!(search.tiers[0].slo, plan.slo);
    assert!(!plan.keeps_requests && plan.keeps_alive);
    assert!(run("streams").plan.keeps_requests);
    assert_eq!((plan.connection, plan.engine), (None, None));
}
