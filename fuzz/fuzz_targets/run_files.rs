//! No bytes in the files of a run make their readers panic.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use plimsoll_core::record::{RequestLine, RequestRecord};
use plimsoll_core::run::{Format, Run};
use plimsoll_core::telemetry::Sample;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(line) = serde_json::from_slice::<RequestLine>(bytes) {
        let record = RequestRecord::from(line);
        let _ = (record.is_in_order(Duration::ZERO), record.ttft_ms(), record.tpot_ms(), record.stall_ms());
        let _ = RequestLine::from(&record);
    }
    let _ = serde_json::from_slice::<Sample>(bytes);
    let Ok(format) = Format::of(bytes) else {
        return;
    };
    let _ = format.run(bytes);
    if let Ok(event) = format.event(bytes) {
        let _ = Run::begin(event);
    }
});
