//! The values of a window, by metric: what its summaries are computed from.

use crate::outcome::Outcome;
use crate::record::{InFlight, RequestRecord};
use crate::time::Offset;

/// The values of a window, by metric.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) send_lag_ms: Vec<f64>,
    pub(super) ttft_ms: Vec<f64>,
    pub(super) tpot_ms: Vec<f64>,
    pub(super) e2e_ms: Vec<f64>,
    pub(super) stall_ms: Vec<f64>,
    pub(super) speed_tok_per_s: Vec<f64>,
    pub(super) prompt_tokens: Vec<f64>,
    pub(super) output_tokens: Vec<f64>,
}

impl Figures {
    pub(super) fn of(
        ended: &[RequestRecord],
        in_flight: &[InFlight],
        from: Offset,
        to: Offset,
    ) -> Self {
        let mut figures = Self::default();
        let within = |at: Offset| at >= from && at <= to;
        for record in ended
            .iter()
            .filter(|record| record.outcome != Outcome::NeverSent)
        {
            if within(record.due) {
                figures.send_lag_ms.extend(record.lateness_ms());
            }
            if record.outcome.is_completed() && record.first().is_some_and(within) {
                figures.ttft_ms.extend(record.ttft_ms());
            }
            if record.outcome.is_completed() && within(record.done) {
                figures.add_completed(record);
            }
        }
        for request in in_flight {
            if within(request.due) {
                let late = request.sent.map(|sent| sent.ms_since(request.ready));
                figures.send_lag_ms.extend(late);
            }
            let first = request.first.filter(|first| within(*first));
            if let (Some(first), Some(start)) = (first, request.start()) {
                figures.ttft_ms.push(first.ms_since(start));
            }
        }
        figures
    }

    fn add_completed(&mut self, record: &RequestRecord) {
        self.tpot_ms.extend(record.tpot_ms());
        self.e2e_ms.extend(record.e2e_ms());
        self.stall_ms.extend(record.stall_ms());
        self.speed_tok_per_s.extend(record.speed_tok_per_s());
        self.prompt_tokens
            .extend(record.prompt_tokens.map(f64::from));
        self.output_tokens
            .extend(record.output_tokens().map(|(tokens, _)| f64::from(tokens)));
    }
}
