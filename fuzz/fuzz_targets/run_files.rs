//! No bytes in the files of a run make their readers panic.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use plimsoll_core::record::{RequestLine, RequestTrace};
use plimsoll_core::run::{Format, Run};
use plimsoll_core::telemetry::Sample;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(line) = serde_json::from_slice::<RequestLine>(bytes) {
        let request = RequestTrace::from(line);
        let _ = (request.is_in_order(Duration::ZERO), request.ttft_ms(), request.tpot_ms(), request.stall_ms());
        let _ = RequestLine::from(&request);
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
