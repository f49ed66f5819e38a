//! Whole renderings, as a reader sees them.

use plimsoll_core::level::{Alarm, LevelVerdict, Load, Purpose, Reason, Shortfall};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::run::{HttpVersion, Rejudged, Resumption, Run};
use plimsoll_core::search::Axis;
use plimsoll_core::verdict::{CauseDetail, CauseKind, Note, Verdict, VerdictKind};

use crate::console::{self, Depth};
use crate::document::{Document, HeadlineKind};
use crate::figures::{figures, plot_input};
use crate::fixture;
use crate::lang::Lang;
use crate::layout;
use crate::live::{level_header, level_row};
use crate::run_file::{run_file, sentence};
use crate::{csv, markdown};

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

/// A run on a terminal; no line is wider than it.
fn on_console(run: &Run, lang: Lang, depth: Depth, width: u16) -> String {
    let mut out = Vec::new();
    console::render(&Document::of(run, lang), depth, width, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for line in text.lines() {
        assert!(layout::width(line) <= usize::from(width), "{line}");
    }
    text
}

/// The same run with another answer.
fn with(verdict: &Verdict) -> Run {
    let mut run = fixture::capacity();
    run.verdict = Some(verdict.clone());
    run
}

#[test]
fn consoles() {
    for (name, run) in fixture::all() {
        for (tag, lang) in LANGS {
            for (width, depth) in [(80, Depth::Answer), (120, Depth::Details)] {
                let text = on_console(&run, lang, depth, width);
                insta::assert_snapshot!(format!("console_{name}_{tag}_{width}"), text);
            }
        }
    }
}

#[test]
fn markdown_and_csv() {
    let run = fixture::capacity();
    for (tag, lang) in LANGS {
        let document = Document::of(&run, lang);
        let mut out = Vec::new();
        markdown::render(&document, &mut out).unwrap();
        insta::assert_snapshot!(format!("markdown_{tag}"), String::from_utf8(out).unwrap());
        let mut out = Vec::new();
        csv::render(&document, &mut out).unwrap();
        insta::assert_snapshot!(format!("csv_{tag}"), String::from_utf8(out).unwrap());
    }
}

/// What to do comes first, in the same order in both languages.
#[test]
fn the_answer_has_one_order() {
    for kind in KINDS {
        let run = with(&fixture::verdict(kind));
        let kinds = |lang| -> Vec<HeadlineKind> {
            let lines = Document::of(&run, lang).headlines.lines;
            lines.iter().map(|line| line.kind).collect()
        };
        assert_eq!(kinds(Lang::En), kinds(Lang::Zh));
        assert_eq!(kinds(Lang::En).first(), Some(&HeadlineKind::Set));
        assert_eq!(kinds(Lang::En).last(), Some(&HeadlineKind::ValidFor));
    }
}

/// A run that was resumed visits a load again: one row a load, all its visits together.
#[test]
fn visits_of_a_load_are_one_row() {
    let mut run = fixture::capacity();
    let mut again = run.levels[8].clone();
    again.requests.completed_in_window = 112;
    again.ttft_ms.p95 = Some(1_450.0);
    run.levels.push(again);
    let levels = Document::of(&run, Lang::En).levels;
    let rows: Vec<_> = levels
        .rows
        .iter()
        .filter(|row| row.load == Load::Streams(51))
        .collect();
    let [row] = rows[..] else {
        panic!("one row for 51 streams: {rows:?}")
    };
    assert_eq!((row.visits, row.verdict), (2, Some(LevelVerdict::Fail)));
    let texts: Vec<String> = row.cells.iter().map(|cell| cell.text(Lang::En)).collect();
    assert!(texts.contains(&"500".to_owned()), "{texts:?}");
    assert!(texts.contains(&"1350–1450".to_owned()), "{texts:?}");
    let loads: Vec<f64> = levels.rows.iter().map(|row| row.load.amount()).collect();
    assert!(loads.is_sorted(), "{loads:?}");
}

#[test]
fn failures_are_named_with_the_servers_words() {
    let mut run = fixture::capacity();
    let counts = &mut run.levels[6].requests;
    counts.outcomes = [("completed".to_owned(), 180), ("http_503".to_owned(), 20)].into();
    counts.said = [("http_503".to_owned(), "overloaded, try later".to_owned())].into();
    for (lang, summary) in [
        (Lang::En, "Failures: 20 of 200 requests (10 %)."),
        (Lang::Zh, "失败：200 个请求中有 20 个（10 %）。"),
    ] {
        let text = on_console(&run, lang, Depth::Answer, 80);
        assert!(text.contains(summary), "{text}");
        assert!(text.contains("HTTP 503"), "{text}");
        assert!(text.contains("“overloaded, try later”"), "{text}");
    }
}

#[test]
fn requests_that_hang_are_told_once_and_are_no_successes() {
    let mut run = fixture::capacity();
    for (level, requests) in [(3, 2), (4, 18), (5, 9)] {
        run.levels[level].alarms.push(Alarm::Unanswered {
            requests,
            of: 100,
            longest_s: 5.0,
        });
    }
    run.levels[6].requests.outcomes = [("completed".to_owned(), 180)].into();
    let load = run.levels[4].load.amount();
    for (lang, caution, failures) in [
        (
            Lang::En,
            format!("At {load} streams: 18 of 100 requests have had no answer for 5 s, and a"),
            "Failures: none of 180 requests that ended.",
        ),
        (
            Lang::Zh,
            format!(
                "{load} 路这一档：100 个请求中有 18 个一直没有应答，最久的已等了 5 秒；另有 2 档也有"
            ),
            "失败：已结束的 180 个请求中没有。",
        ),
    ] {
        let text = on_console(&run, lang, Depth::Answer, 200);
        assert_eq!(text.matches(&caution).count(), 1, "{text}");
        assert!(text.contains(failures), "{text}");
    }
}

#[test]
fn a_search_that_was_too_short_says_how_much_longer_it_takes() {
    let mut run = fixture::capacity();
    let wide = |upper| {
        let mut verdict = fixture::verdict(VerdictKind::Capacity);
        verdict.notes = vec![Note::BudgetSpent];
        verdict.capacity = Some(fixture::capacity_of(48, 40, upper));
        verdict
    };
    for (upper, lang, is_told) in [
        (Some(50), Lang::En, true),
        (Some(50), Lang::Zh, true),
        (Some(44), Lang::En, false),
        (None, Lang::En, false),
    ] {
        run.verdict = Some(wide(upper));
        let text = on_console(&run, lang, Depth::Answer, 200);
        assert_eq!(text.contains("--resume RUN --budget +"), is_told, "{text}");
    }
}

#[test]
fn the_answers_of_all_tiers() {
    let run = fixture::tiers();
    for (tag, lang) in LANGS {
        let text = on_console(&run, lang, Depth::Answer, 100);
        insta::assert_snapshot!(format!("tiers_{tag}"), text);
    }
    let one = Document::of(&fixture::capacity(), Lang::En);
    assert_eq!(one.tiers, None, "a run with one SLO has no tiers");
}

#[test]
fn sentences_of_every_kind() {
    let mut lines = Vec::new();
    for kind in KINDS {
        let run = with(&fixture::verdict(kind));
        for (_, lang) in LANGS {
            lines.push(format!("{kind:?}: {}", sentence(&run, lang)));
        }
    }
    for (_, lang) in LANGS {
        lines.push(format!(
            "by rate: {}",
            sentence(&with(&fixture::by_rate()), lang)
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
    run.verdict = Some(verdict);
    let text = sentence(&run, Lang::En);
    assert!(text.contains("nothing is known at"), "{text}");
    assert!(!text.contains("over 1 s"), "{text}");
    let text = sentence(&run, Lang::Zh);
    assert!(text.contains("没有结论：未及初筛就结束"), "{text}");
    assert!(!text.contains("超过 1 s"), "{text}");
}

#[test]
fn sentences_with_unknown_parts() {
    let mut lines = Vec::new();
    for verdict in &verdicts_with_unknown_parts() {
        for (_, lang) in LANGS {
            lines.push(sentence(&with(verdict), lang));
        }
    }
    let mut run = fixture::capacity();
    run.plan.slo_given = false;
    for (_, lang) in LANGS {
        lines.push(sentence(&run, lang));
    }
    insta::assert_snapshot!(lines.join("\n"));
    for (unit, heading) in [(LoadUnit::Users, "users"), (LoadUnit::RatePerS, "load")] {
        let header = level_header(unit, Lang::En);
        let last = header.lines().last().unwrap_or_default();
        assert_eq!(last.split_whitespace().next(), Some(heading));
    }
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
    run.verdict = Some(verdict);
    let told = LANGS.map(|(_, lang)| {
        let document = Document::of(&run, lang);
        let details = document.details.into_iter().flat_map(|detail| detail.lines);
        let all: Vec<String> = document.cautions.into_iter().chain(details).collect();
        assert!(all.iter().all(|note| !note.is_empty()));
        all.join("\n")
    });
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_proxy_on_the_way_is_told() {
    let mut run = fixture::capacity();
    run.plan.proxy = Some("http://10.0.0.1:3128".to_owned());
    for (_, lang) in LANGS {
        let cautions = Document::of(&run, lang).cautions.join("\n");
        assert!(cautions.contains("http://10.0.0.1:3128"), "{cautions}");
    }
}

#[test]
fn http2_is_told_with_what_it_costs() {
    let mut run = fixture::capacity();
    run.server.http = HttpVersion::Http2;
    for (_, lang) in LANGS {
        let text = on_console(&run, lang, Depth::Details, 120);
        assert_eq!(text.matches("HTTP/2").count(), 2, "{text}");
    }
}

#[test]
fn live_rows_stand_below_their_heading() {
    let run = fixture::capacity();
    let mut lines = Vec::new();
    for (_, lang) in LANGS {
        lines.push(level_header(run.plan.unit(), lang));
        for level in &run.levels {
            let row = level_row(level, lang);
            assert!(layout::width(&row) <= 80, "{row}");
            lines.push(row);
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
    for (unit, heading) in [(LoadUnit::Users, "users"), (LoadUnit::RatePerS, "load")] {
        let header = level_header(unit, Lang::En);
        let last = header.lines().last().unwrap_or_default();
        assert_eq!(last.split_whitespace().next(), Some(heading));
    }
}

#[test]
fn a_running_run_has_no_answer() {
    let mut run = fixture::capacity();
    run.verdict = None;
    run.levels.clear();
    let text = on_console(&run, Lang::En, Depth::Answer, 80);
    assert!(text.contains("the run has no answer yet"), "{text}");
    assert!(!text.contains("requests in flight"), "{text}");
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
        .find(|one| (one.load - 48.0).abs() < 0.5);
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

/// A search of rates has two levels of streams as well: one alone, and those that saturate it.
#[test]
fn pictures_of_rates_have_the_levels_of_rates() {
    let mut run = fixture::capacity();
    fixture::search(&mut run).axis = Axis::Rate;
    run.verdict = Some(fixture::by_rate());
    let last = run.levels.len() - 1;
    for level in &mut run.levels[1..last] {
        level.load = Load::RatePerS(level.load.amount() / 4.0);
    }
    let input = plot_input(&run);
    assert_eq!(input.points.len(), last - 1);
    assert!(input.points.iter().all(|point| point.load <= 16.0));
    assert_eq!((input.marks.knee, input.law.len()), (None, 0));
    assert_eq!(input.marks.saturation, Some(9.14));
    let names = figures(&run, Lang::En)
        .unwrap()
        .into_iter()
        .map(|file| file.0);
    assert!(!names.into_iter().any(|name| name.starts_with("efficiency")));
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
