//! Whole renderings, as a reader sees them.

use plimsoll_core::level::{LevelVerdict, Load, Purpose, Reason, Shortfall};
use plimsoll_core::run::{HttpVersion, Rejudged, Resumption};
use plimsoll_core::verdict::{CauseDetail, CauseKind, Note, Verdict, VerdictKind};

use crate::console::render;
use crate::figures::{figures, plot_input};
use crate::fixture;
use crate::lang::Lang;
use crate::layout;
use crate::notes::notes;
use crate::sentence::{run_file, sentence};
use crate::table::{level_header, level_row};
use crate::tiers::tiers;

const LANGS: [(&str, Lang); 2] = [("en", Lang::En), ("zh", Lang::Zh)];

const KINDS: [VerdictKind; 10] = [
    VerdictKind::Capacity,
    VerdictKind::DiminishingReturns,
    VerdictKind::FullBatch,
    VerdictKind::NotMonotone,
    VerdictKind::ResourcesExhausted,
    VerdictKind::BelowFirst,
    VerdictKind::AboveLast,
    VerdictKind::ClientLimited,
    VerdictKind::ServerGone,
    VerdictKind::Inconclusive,
];

#[test]
fn consoles() {
    for (name, run) in fixture::all() {
        for (tag, lang) in LANGS {
            for width in [80, 120] {
                let mut out = Vec::new();
                render(&run, lang, width, &mut out).unwrap();
                let text = String::from_utf8(out).unwrap();
                for line in text.lines() {
                    assert!(layout::width(line) <= usize::from(width), "{line}");
                }
                insta::assert_snapshot!(format!("console_{name}_{tag}_{width}"), text);
            }
        }
    }
}

#[test]
fn the_answers_of_all_tiers() {
    let run = fixture::tiers();
    for (tag, lang) in LANGS {
        let mut out = Vec::new();
        tiers(&run, lang, 100, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in text.lines() {
            assert!(layout::width(line) <= 100, "{line}");
        }
        insta::assert_snapshot!(format!("tiers_{tag}"), text);
    }
    let mut out = Vec::new();
    tiers(&fixture::capacity(), Lang::En, 100, &mut out).unwrap();
    assert!(out.is_empty(), "a run with one SLO has no tiers");
}

#[test]
fn sentences_of_every_kind() {
    let run = fixture::capacity();
    let mut lines = Vec::new();
    for kind in KINDS {
        let verdict = fixture::verdict(kind);
        for (_, lang) in LANGS {
            lines.push(format!("{kind:?}: {}", sentence(&run, &verdict, lang)));
        }
    }
    for (_, lang) in LANGS {
        lines.push(format!(
            "by rate: {}",
            sentence(&run, &fixture::by_rate(), lang)
        ));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

fn verdicts_with_unknown_parts() -> [Verdict; 8] {
    let with = |change: fn(&mut Verdict)| {
        let mut verdict = fixture::verdict(VerdictKind::Capacity);
        change(&mut verdict);
        verdict
    };
    [
        with(|one| one.capacity = Some(fixture::capacity_of(48, 46, None))),
        with(|one| one.capacity = Some(fixture::capacity_of(1, 1, Some(1)))),
        with(|one| {
            one.capacity = Some(fixture::capacity_of(3, 0, Some(4)));
            one.recommended = None;
            one.broken_at = Some(Load::Streams(48));
            one.cause = None;
        }),
        with(|one| {
            one.cause = Some(fixture::cause(
                CauseKind::SequenceCap,
                CauseDetail::Queue {
                    running: 47.0,
                    waiting: 17.0,
                },
                true,
            ));
        }),
        with(|one| {
            one.cause = Some(fixture::cause(
                CauseKind::QueueOrPrefill,
                CauseDetail::Latencies {
                    ttft_p95_ratio: 1.8,
                    tpot_ratio: 1.1,
                    load_ratio: 2.0,
                },
                false,
            ));
        }),
        with(|one| {
            let refused = CauseDetail::Refused {
                refused: 12,
                of: 80,
            };
            one.cause = Some(fixture::cause(CauseKind::RateLimit, refused, false));
        }),
        with(|one| {
            one.kind = VerdictKind::Inconclusive;
            one.capacity = None;
            one.recommended = None;
            one.broken_at = None;
            one.cause = None;
            one.notes = vec![Note::BudgetSpent];
        }),
        with(|one| {
            one.kind = VerdictKind::ClientLimited;
            one.capacity = None;
            one.recommended = None;
            let missing = Shortfall::MissingStreams {
                in_flight: 61.2,
                of: 64,
            };
            one.broken_by = Some(Reason::from(missing).into());
        }),
    ]
}

/// A level cut short shows no break, whatever the verdict says of its load.
#[test]
fn a_load_that_was_not_judged_is_not_called_broken() {
    let mut run = fixture::capacity();
    let mut verdict = fixture::verdict(VerdictKind::Inconclusive);
    let at = run.levels.last().unwrap().load;
    verdict.broken_at = Some(at);
    verdict.broken_by = Some(Reason::NotScreened.into());
    for level in run.levels.iter_mut().filter(|level| level.load == at) {
        level.verdict = LevelVerdict::Undecided;
        level.purpose = Purpose::Ramp;
    }
    let text = sentence(&run, &verdict, Lang::En);
    assert!(text.contains("Nothing is known at"), "{text}");
    assert!(!text.contains("First broken"), "{text}");
    let text = sentence(&run, &verdict, Lang::Zh);
    assert!(text.contains("没有结论：未及初筛就结束"), "{text}");
    assert!(!text.contains("首先超标"), "{text}");
}

#[test]
fn sentences_with_unknown_parts() {
    let mut run = fixture::capacity();
    let mut lines = Vec::new();
    for verdict in &verdicts_with_unknown_parts() {
        for (_, lang) in LANGS {
            lines.push(sentence(&run, verdict, lang));
        }
    }
    run.plan.slo_given = false;
    for (_, lang) in LANGS {
        lines.push(sentence(
            &run,
            &fixture::verdict(VerdictKind::Capacity),
            lang,
        ));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_note() {
    let not_refined = |low: Option<u32>, high: Option<u32>| Note::NotRefined {
        low: low.map(Load::Streams),
        high: high.map(Load::Streams),
    };
    let resumption = |next_level| Resumption {
        started_utc: "2025-03-01T09:00:00Z".to_owned(),
        at_s: 60.0,
        next_level,
    };
    let mut run = fixture::capacity();
    let mut verdict = fixture::verdict(VerdictKind::Capacity);
    verdict.notes = vec![
        Note::DiminishingReturns { from_streams: 32 },
        Note::NotMonotone {
            failed: Load::Streams(48),
            passed: Load::Streams(52),
        },
        Note::BudgetSpent,
        Note::Interrupted,
        Note::NoUsage,
        Note::ShortAnswers,
        Note::CalibratedPrompts,
        Note::NoServerMetrics,
        Note::StartedAt { streams: 8 },
        not_refined(Some(32), Some(64)),
        not_refined(None, Some(1)),
        not_refined(Some(64), None),
        not_refined(None, None),
    ];
    run.resumptions = vec![resumption(2), resumption(9)];
    run.rejudged = Some(Rejudged {
        slo: "ttft p95 <= 2 s, success >= 99 %".parse().unwrap(),
    });
    let mut all = notes(&run, &verdict, Lang::En);
    all.extend(notes(&run, &verdict, Lang::Zh));
    assert!(all.iter().all(|note| !note.is_empty()));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_proxy_on_the_way_is_told() {
    let mut run = fixture::capacity();
    run.plan.proxy = Some("http://10.0.0.1:3128".to_owned());
    let verdict = fixture::verdict(VerdictKind::Capacity);
    for (_, lang) in LANGS {
        let notes = notes(&run, &verdict, lang).join("\n");
        assert!(notes.contains("http://10.0.0.1:3128"), "{notes}");
    }
}

#[test]
fn http2_is_told_with_what_it_costs() {
    let mut run = fixture::capacity();
    run.server.http = HttpVersion::Http2;
    for (_, lang) in LANGS {
        let mut text = Vec::new();
        render(&run, lang, 120, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.matches("HTTP/2").count(), 2, "{text}");
    }
}

#[test]
fn live_rows_stand_below_their_heading() {
    let run = fixture::capacity();
    let mut lines = Vec::new();
    for (_, lang) in LANGS {
        lines.push(level_header(lang));
        for level in &run.levels {
            let row = level_row(level, lang);
            assert!(layout::width(&row) <= 80, "{row}");
            lines.push(row);
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_running_run_has_no_answer() {
    let mut run = fixture::capacity();
    run.verdict = None;
    run.levels.clear();
    let mut out = Vec::new();
    render(&run, Lang::En, 80, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.ends_with("\n\nThe run has no answer yet.\n"), "{text}");
}

#[test]
fn pictures_have_one_point_a_load_and_the_marks() {
    let mut run = fixture::capacity();
    let mut again = run.levels[9].clone();
    again.request_per_s = Some(8.0);
    let mut void = again.clone();
    void.verdict = LevelVerdict::Void;
    run.levels.extend([again, void]);
    let input = plot_input(&run);
    assert_eq!(input.points.len(), 10);
    let at_48 = input
        .points
        .iter()
        .find(|one| (one.streams - 48.0).abs() < 0.5);
    assert_eq!(at_48.unwrap().request_per_s, Some(8.0));
    assert_eq!(input.marks.capacity_upper, Some(50.0));
    assert_eq!(input.marks.ttft_bound_ms, Some(1_000.0));
    let names: Vec<String> = figures(&run, Lang::Zh)
        .unwrap()
        .into_iter()
        .map(|file| file.0)
        .collect();
    assert_eq!(
        names,
        [
            "load-line.png",
            "load-line.svg",
            "throughput.png",
            "throughput.svg",
            "efficiency.png",
            "efficiency.svg"
        ]
    );
    assert_eq!(
        plot_input(&fixture::diminishing_returns())
            .marks
            .capacity_upper,
        None
    );
}

/// The form of the run file: what scripts read must not change unseen.
#[test]
fn the_run_file_of_a_passing_search() {
    let (_, run) = fixture::all().into_iter().next().expect("a first fixture");
    let text = serde_json::to_string_pretty(&run_file(&run)).expect("a run is JSON");
    insta::assert_snapshot!("run_json", text);
    let read: plimsoll_core::run::Run =
        serde_json::from_str(&text).expect("the run file reads back");
    assert_eq!(read, run);
}
