//! The block of a run of vLLM 0.32 itself, rebuilt from that run's numbers.

use std::collections::BTreeMap;

use super::super::legacy::{Request, Summary};
use super::super::metrics::Metric;
use super::*;

/// A run of `vllm bench serve` 0.32: 100 requests, cap 10, 512 tokens in, 128 out.
const GOLDEN: &str = "\
============ Serving Benchmark Result ============
Successful requests:                     100       \n\
Failed requests:                         0         \n\
Maximum request concurrency:             10        \n\
Benchmark duration (s):                  9.24      \n\
Total input tokens:                      51200     \n\
Total generated tokens:                  12800     \n\
Request throughput (req/s):              10.82     \n\
Output token throughput (tok/s):         1384.68   \n\
Peak output token throughput (tok/s):    1541.00   \n\
Peak concurrent requests:                30.00     \n\
Total token throughput (tok/s):          6923.39   \n\
---------------Time to First Token----------------
Mean TTFT (ms):                          166.78    \n\
Median TTFT (ms):                        166.78    \n\
P99 TTFT (ms):                           166.78    \n\
-----Time per Output Token (excl. 1st token)------
Mean TPOT (ms):                          5.94      \n\
Median TPOT (ms):                        5.94      \n\
P99 TPOT (ms):                           5.94      \n\
---------------Inter-token Latency----------------
Mean ITL (ms):                           4.60      \n\
Median ITL (ms):                         4.60      \n\
P99 ITL (ms):                            4.60      \n\
==================================================
";

/// 100 equal requests with the totals of that run. Their latencies are its means, so that mean,
/// median and percentiles are one number.
fn golden() -> Legacy {
    let ttft_s = 0.166_780_623_750_004_22;
    let request = Request {
        success: true,
        input_tokens: 512,
        output_tokens: 128,
        ttft_s,
        itls_s: vec![0.004_604_412_499_986_665],
        latency_s: ttft_s + 127.0 * 0.005_939_178_677_795_259,
        ..Request::default()
    };
    Legacy {
        requests: vec![request; 100],
        duration_s: 9.244_030_964_999_979,
        completed: 100,
        failed: 0,
        input_tokens: 51_200,
        output_tokens: 12_800,
        goodput_per_s: None,
        peak_tokens_per_s: 1541.0,
        peak_requests: 30,
    }
}

fn load() -> Load {
    Load {
        rate_per_s: f64::INFINITY,
        burstiness: 1.0,
        max_concurrency: Some(10),
        ramp_up: None,
        seed: 0,
    }
}

fn reported(metrics: &[Metric]) -> Reported {
    Reported {
        metrics: metrics.to_vec(),
        percentiles: vec![99.0],
        goodput: None,
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn corrected() -> Corrected {
    Corrected {
        first_from_due_ms: Some(Summary::new(vec![1.0], &[99.0])),
        first_from_sent_ms: Some(Summary::new(vec![1.0], &[99.0])),
        peak_in_flight: 10,
        send_lag_p99_ms: Some(0.5),
        outcomes: BTreeMap::from([("completed".to_owned(), 99), ("http_429".to_owned(), 1)]),
        prompt_tokens: Some(crate::bench::corrected::PromptTokens {
            asked: 51_200,
            server: 51_300,
        }),
        token_source: Some("usage"),
    }
}

#[test]
fn the_block_is_vllms_line_by_line() {
    let reported = reported(&[Metric::Ttft, Metric::Tpot, Metric::Itl]);
    let block = text(|out| block(&golden(), &load(), &reported, out));
    for (line, expected) in block.lines().zip(GOLDEN.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(block, GOLDEN);
}

#[test]
fn rows_and_sections_come_and_go_with_the_settings() {
    let mut legacy = golden();
    legacy.goodput_per_s = Some(1.5);
    let load = Load {
        rate_per_s: 20.0,
        max_concurrency: None,
        ..load()
    };
    let mut reported = reported(&[Metric::E2el]);
    reported.percentiles = vec![99.9, 50.0];
    let block = text(|out| block(&legacy, &load, &reported, out));
    assert!(!block.contains("Maximum request concurrency") && !block.contains("TTFT"));
    for line in [
        "Request rate configured (RPS):           20.00     \n",
        "Request goodput (req/s):                 1.50      \n",
        "----------------End-to-end Latency----------------\n",
        "P99.9 E2EL (ms):                         921.06    \n",
        "P50 E2EL (ms):                           921.06    \n",
    ] {
        assert!(block.contains(line), "{line}{block}");
    }
}

#[test]
fn scripts_find_each_label_once() {
    let reported = reported(&Metric::ALL);
    let whole = text(|out| {
        announce(&load(), out)?;
        block(&golden(), &load(), &reported, out)?;
        own_block(&corrected(), &load(), "token ids", out)
    });
    for label in [
        "Successful requests:",
        "Failed requests:",
        "Request throughput",
        "Mean TTFT",
        "Median TTFT",
        "P99 TTFT",
        "Mean TPOT",
        "Mean ITL",
        "Benchmark duration",
        "Total input tokens",
        "Total generated tokens",
        "Output token throughput (tok/s):         1384",
        "Peak concurrent requests",
    ] {
        assert_eq!(whole.matches(label).count(), 1, "{label}");
    }
    // The block ends before our own rows begin.
    let own = whole.split(" Plimsoll ").nth(1).unwrap();
    let labels = [
        "TTFT",
        "TPOT",
        "ITL",
        "E2EL",
        "Mean",
        "Median",
        "P99",
        "throughput",
        "requests",
    ];
    assert!(labels.iter().all(|label| !own.contains(label)), "{own}");
    assert!(own.contains("Ended as http_429:                       1         \n"));
}

#[test]
fn the_run_is_announced_with_its_load() {
    let announced = |load: &Load| text(|out| announce(load, out));
    assert_eq!(
        announced(&load()),
        "Starting main benchmark run...\n\
         Traffic request rate: inf\n\
         Burstiness factor: 1.0 (Poisson process)\n\
         Maximum request concurrency: 10\n"
    );
    let ramp_up = super::super::load::RampUp {
        strategy: super::super::load::Strategy::Linear,
        start_rps: 1,
        end_rps: 5,
    };
    let ramped = Load {
        ramp_up: Some(ramp_up),
        burstiness: 0.5,
        max_concurrency: None,
        ..load()
    };
    assert_eq!(
        announced(&ramped),
        "Starting main benchmark run...\n\
         Traffic ramp-up strategy: linear.\n\
         Will increase RPS from 1 to 5 RPS over the duration of the benchmark.\n\
         Burstiness factor: 0.5 (Gamma distribution)\n\
         Maximum request concurrency: None\n"
    );
}

#[test]
fn ten_failures_are_listed() {
    let mut legacy = golden();
    assert_eq!(text(|out| failures(&legacy, out)), "");
    for request in &mut legacy.requests[..12] {
        request.success = false;
        request.failed = true;
        request.error = "http_503: overloaded".to_owned();
    }
    let listed = text(|out| failures(&legacy, out));
    assert_eq!(listed.lines().count(), 11);
    assert!(listed.starts_with(
        "Failed requests during benchmark run detected (capping to 10):\nError 0: http_503"
    ));
}
