//! Checks of every kind, as a reader sees them.

use plimsoll_core::check::{CheckAnswer, CheckVerdict, Flow, Little, Thirds};
use plimsoll_core::level::{Alarm, LevelVerdict, Load, Reason};
use plimsoll_core::run::{Goal, HoldPlan, Run, RunState};
use plimsoll_core::slo::Metric;
use plimsoll_core::stability::{Drift, Spread, Stability, Trend};
use plimsoll_core::telemetry::ServerWindow;
use plimsoll_core::verdict::{Cause, CauseDetail, CauseKind};

use super::*;
use crate::console::{self, Depth};
use crate::document::Document;
use crate::fixture;
use crate::run_file::sentence;

/// 20 req/s for 30 min, which takes 23 streams.
fn check(verdict: CheckVerdict) -> Run {
    let mut run = fixture::capacity();
    let mut level = run.levels[7].clone();
    level.load = Load::RatePerS(20.0);
    level.stability = Some(stability(Drift::Steady));
    if let Some(window) = &mut level.window {
        window.to_s = window.from_s + 1_800.0;
    }
    run.plan.goal = Goal::Hold(HoldPlan {
        load: level.load,
        most_in_flight: None,
        burstiness: Some(1.0),
        for_s: 1_800.0,
        until_requests: None,
        fails_fast: false,
    });
    run.check = Some(CheckAnswer {
        verdict,
        broken_by: None,
        cause: None,
        flow: Some(flow()),
    });
    Run {
        levels: vec![level],
        verdict: None,
        ..run
    }
}

fn hold(run: &mut Run) -> &mut HoldPlan {
    match &mut run.plan.goal {
        Goal::Hold(hold) => hold,
        Goal::Search(_) => panic!("no check"),
    }
}

fn answer(run: &mut Run) -> &mut CheckAnswer {
    run.check.as_mut().unwrap()
}

fn seen(run: &Run) -> Check<'_> {
    Check::of(run).unwrap()
}

fn stability(drift: Drift) -> Stability {
    let grown = matches!(drift, Drift::Unstable | Drift::Grew);
    Stability {
        drift,
        trend: Trend {
            first_mean: 23.1,
            last_mean: if grown { 410.0 } else { 23.6 },
            growth_upper_ratio: Some(if grown { 0.21 } else { 0.012 }),
        },
        arrivals: 35_990,
        ended: 35_985,
        in_flight: flow().in_flight,
        waiting: Spread::default(),
    }
}

fn flow() -> Flow {
    let third = |n, ttft| Thirds {
        n,
        ttft_mean_ms: Some(ttft),
        tpot_mean_ms: Some(7.6),
        e2e_mean_ms: Some(1_170.0),
    };
    Flow {
        due_per_s: 19.99,
        ended_per_s: 19.99,
        request_time_s: Some(1.17),
        in_flight: Spread {
            mean: 23.4,
            p50: 23,
            p95: 31,
            p99: 34,
            max: 41,
        },
        waiting: Spread::default(),
        little: Some(Little {
            by_law: 23.39,
            measured: 23.4,
            tolerance_ratio: 0.022,
            agrees: true,
        }),
        guide_concurrency: Some(23.4),
        thirds: [third(11_990, 210.0), third(12_010, 214.0)],
    }
}

/// What breaks, with its cause, under a cap, and with the server's signals.
fn broken() -> Run {
    let mut check = check(CheckVerdict::Broken);
    answer(&mut check).broken_by = Some(fixture::broken("ttft p95 <= 1 s"));
    hold(&mut check).most_in_flight = Some(40);
    hold(&mut check).burstiness = None;
    answer(&mut check).cause = Some(Cause {
        kind: CauseKind::KvCache,
        detail: Some(CauseDetail::Preemptions { per_min: 14.0 }),
        from_metrics: true,
    });
    check.levels[0].server = Some(ServerWindow {
        samples: 600,
        running_mean: Some(22.8),
        running_max: Some(40.0),
        waiting_mean: Some(3.1),
        kv_used_ratio_max: Some(1.0),
        preemptions: Some(420.0),
        samples_disbelieved: 0,
    });
    check.levels[0].alarms = vec![Alarm::Drifting {
        metric: Metric::Ttft,
        first_mean_ms: 210.0,
        last_mean_ms: 640.0,
    }];
    if let Some(flow) = &mut answer(&mut check).flow {
        flow.waiting = Spread {
            mean: 2.2,
            p50: 0,
            p95: 9,
            p99: 14,
            max: 22,
        };
        flow.little = flow.little.map(|little| Little {
            agrees: false,
            ..little
        });
    }
    check
}

fn unstable() -> Run {
    let mut check = check(CheckVerdict::Unstable);
    check.levels[0].stability = Some(stability(Drift::Unstable));
    check
}

fn streams() -> Run {
    let mut check = check(CheckVerdict::NotContradicted);
    hold(&mut check).load = Load::Streams(40);
    check.levels[0].load = Load::Streams(40);
    check.levels[0].stability = None;
    check
}

/// Stopped before its window began.
fn interrupted() -> Run {
    let mut check = check(CheckVerdict::Inconclusive);
    check.state = RunState::Partial;
    check.levels[0].window = None;
    check.levels[0].reason = Some(Reason::NoRequestEnded);
    answer(&mut check).flow = None;
    check
}

fn text(run: &Run, lang: Lang, width: u16) -> String {
    let mut out = Vec::new();
    console::render(&Document::of(run, lang), Depth::Answer, width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn checks_on_a_terminal() {
    let all = [
        ("holds", check(CheckVerdict::Holds)),
        ("broken", broken()),
        ("unstable", unstable()),
        ("streams", streams()),
        ("interrupted", interrupted()),
    ];
    for (name, check) in all {
        for (tag, lang) in [("en", Lang::En), ("zh", Lang::Zh)] {
            let text = text(&check, lang, 80);
            for line in text.lines() {
                assert!(layout::width(line) <= 80, "{line}");
            }
            insta::assert_snapshot!(format!("check_{name}_{tag}"), text);
        }
    }
}

#[test]
fn the_sentence_of_every_verdict() {
    let mut lines = Vec::new();
    for verdict in [
        CheckVerdict::Holds,
        CheckVerdict::NotContradicted,
        CheckVerdict::Inconclusive,
        CheckVerdict::Void,
        CheckVerdict::ServerGone,
    ] {
        let mut check = check(verdict);
        if verdict == CheckVerdict::Void {
            check.levels[0].verdict = LevelVerdict::Void;
            check.levels[0].reason = Some(fixture::send_lag());
        }
        for lang in [Lang::En, Lang::Zh] {
            lines.push(sentence(&check, lang));
        }
    }
    insta::assert_snapshot!("check_sentences", lines.join("\n"));
}

#[test]
fn what_is_said_of_stability() {
    let mut lines = Vec::new();
    for drift in [Drift::Unstable, Drift::Grew, Drift::Steady, Drift::NoSign] {
        let mut check = check(CheckVerdict::Holds);
        check.levels[0].stability = Some(stability(drift));
        for lang in [Lang::En, Lang::Zh] {
            let rows = found(seen(&check), lang);
            let is_stability = |row: &&Row| matches!(row.name, "Stability" | "稳定性");
            lines.extend(rows.iter().filter(is_stability).map(|row| row.text.clone()));
        }
    }
    insta::assert_snapshot!("check_stability", lines.join("\n"));
}

#[test]
fn the_file_of_a_check_is_read_again() {
    let check = broken();
    let text = serde_json::to_string(&check).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), check);
}
