//! Whether this client was too late for its own figures.

use plimsoll_core::level::ClientHealth;
use plimsoll_core::record::RequestRecord;
use plimsoll_core::stats::{Summary, mean};
use plimsoll_load::batch::Batch;

use super::load::Load;
use super::warning::Warning;

/// What the client must say of itself; `None` if it was on time.
pub(super) fn complaint(load: &Load, batch: &Batch) -> Option<Warning> {
    let records = || batch.records.iter().map(|one| &*one.record);
    let mean_of = |value: fn(&RequestRecord) -> Option<f64>| {
        let values: Vec<f64> = records().filter_map(value).collect();
        mean(&values)
    };
    let mut client = batch.client.clone();
    if load.max_concurrency.is_some() || !load.rate_per_s.is_finite() {
        // Requests that wait for a free slot, or are all due at once, are not late by the client.
        client.send_lag_ms = Summary::default();
    }
    let late = ClientHealth::lateness(
        &client,
        mean_of(RequestRecord::ttft_ms),
        mean_of(RequestRecord::e2e_ms),
    )?;
    Some(Warning::Late(late))
}
