use plimsoll_core::outcome::Outcome;

use super::super::legacy_fixture::{batch, record};
use super::*;

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} {b}");
}

/// Two successes and a failure:
/// A: sent 0, events 100 (role only), 200, 260, 300 ms; 5 output tokens by usage.
/// B: due 0, sent 500, events 700, 1100, 1700 ms; no usage: 3 tokens by events.
/// C: sent 100, one event at 150 ms, then an error event.
fn run() -> Legacy {
    let mut a = record(0, 0, &[100, 200, 260, 300]);
    a.events[0].output = false;
    a.usage_output_tokens = Some(5);
    let mut b = record(0, 500, &[700, 1100, 1700]);
    b.usage_output_tokens = None;
    b.prompt_tokens = None;
    b.asked_prompt_tokens = 10;
    let mut c = record(0, 100, &[150]);
    c.outcome = Outcome::ErrorEvent;
    c.detail = Some("out of\nmemory".to_owned());
    let goodput = Goodput {
        ttft_ms: Some(150.0),
        ..Goodput::default()
    };
    Legacy::new(&batch(vec![a, b, c], 2_000), Some(&goodput))
}

#[test]
fn totals_and_rates_count_successes_over_the_whole_duration() {
    let run = run();
    assert_eq!((run.completed, run.failed), (2, 1));
    // 8 by usage + 10 as asked; 5 by usage + 3 events.
    assert_eq!((run.input_tokens, run.output_tokens), (18, 8));
    close(run.duration_s, 2.0);
    close(run.requests_per_s(), 1.0);
    close(run.output_tokens_per_s(), 4.0);
    close(run.tokens_per_s(), 13.0);
    // Only A's first event came within 150 ms: 1 good request in 2 s.
    close(run.goodput_per_s.unwrap(), 0.5);
}

#[test]
fn latencies_follow_vllms_formulas() {
    let run = run();
    // TTFT counts the role-only event: 100 and 200 ms. P99 = 100 + 0.99·100.
    let ttft = run.summary(Metric::Ttft, &[99.0]);
    close(ttft.mean, 150.0);
    close(ttft.median, 150.0);
    close(ttft.std, 50.0);
    close(ttft.percentiles[0].1, 199.0);
    // TPOT: A (300 − 100)/4 = 50, B (1200 − 200)/2 = 500.
    close(run.summary(Metric::Tpot, &[]).mean, 275.0);
    // ITL: 100, 60, 40 and 400, 600 ms: mean 240, median 100.
    let itl = run.summary(Metric::Itl, &[]);
    close(itl.mean, 240.0);
    close(itl.median, 100.0);
    // E2EL: 300 and 1200; with the wait of 500 ms before B: 300 and 1700.
    close(run.summary(Metric::E2el, &[]).mean, 750.0);
    close(run.summary(Metric::ClientQueue, &[]).mean, 250.0);
    close(run.summary(Metric::E2elWithQueue, &[]).mean, 1000.0);
}

#[test]
fn peaks_are_those_of_one_second_buckets() {
    let run = run();
    // Bucket 0 (0–1 s): A's four events and B's first; bucket 1: B's other two. C failed.
    close(run.peak_tokens_per_s, 5.0);
    assert_eq!(run.peak_requests, 2);
}

#[test]
fn failed_requests_stay_in_the_arrays() {
    let run = run();
    let failed = &run.requests[2];
    assert_eq!(failed.error, "error_event: out of memory");
    assert_eq!((failed.output_tokens, failed.latency_s), (0, 0.0));
    close(failed.ttft_s, 0.05);
    close(run.requests[1].queue_s, 0.5);
    close(run.requests[1].start_s, 0.5);
    assert_eq!(run.requests[0].error, "");
}

#[test]
fn one_token_has_no_tpot_and_counts_as_zero_for_goodput() {
    let one = record(0, 0, &[10]);
    let bounds = Goodput {
        tpot_ms: Some(0.0),
        ..Goodput::default()
    };
    let run = Legacy::new(&batch(vec![one], 10), Some(&bounds));
    close(run.goodput_per_s.unwrap(), 100.0);
    close(run.summary(Metric::Tpot, &[99.0]).percentiles[0].1, 0.0);
}

#[test]
fn a_run_that_never_began_is_zeros_and_no_failures() {
    let mut failed = record(0, 0, &[]);
    failed.outcome = Outcome::NeverSent;
    failed.sent = None;
    let run = Legacy::new(&batch(vec![failed], 0), None);
    assert_eq!((run.completed, run.failed, run.peak_requests), (0, 0, 0));
    close(run.requests_per_s(), 0.0);
    close(run.summary(Metric::Ttft, &[99.0]).mean, 0.0);
}
