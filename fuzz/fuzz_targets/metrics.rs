//! No page of a server makes the reader of metrics panic, or tells a value that cannot be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::telemetry::{Counter, Gauge, read_metrics_page};

fuzz_target!(|page: &str| {
    let signals = read_metrics_page(page);
    for gauge in [Gauge::Running, Gauge::Waiting, Gauge::KvUsedRatio] {
        assert!(signals.gauge(gauge).is_none_or(|value| gauge.is_possible(value)));
    }
    let counter = Counter::PreemptionsTotal;
    assert!(signals.counter(counter).is_none_or(|value| counter.is_possible(value)));
});
