//! What an answer was measured with.

use plimsoll_core::run::Run;

use crate::lang::Lang;
use crate::lengths::short_lengths;
use crate::words;

/// Server, lengths and objectives in a line.
pub(super) fn valid_for(run: &Run, lang: Lang) -> String {
    let slo = words::slo(&run.plan.slo, lang);
    let slo = if run.plan.slo_given {
        slo
    } else {
        lang.pick(
            format!("{slo} (default stop rules)"),
            format!("{slo}（默认停止规则）"),
        )
    };
    let parts = [served(run), short_lengths(run, lang), slo];
    parts.join(" · ")
}

/// What was measured.
pub(in crate::document) fn title(run: &Run) -> String {
    served(run)
}

/// The model at its address, with the server's kind.
fn served(run: &Run) -> String {
    let target = &run.plan.target;
    let model = &run.server.model;
    match &run.server.kind {
        Some(kind) => format!("{model}, {kind} @ {target}"),
        None => format!("{model} @ {target}"),
    }
}
