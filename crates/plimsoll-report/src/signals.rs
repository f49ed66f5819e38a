//! What the server said of itself, where that cannot be.

use plimsoll_core::run::Run;
use plimsoll_core::telemetry::ServerWindow;

use crate::lang::Lang;

/// That values of the metrics page were left out, if some were.
pub(crate) fn disbelieved(run: &Run, lang: Lang) -> Option<String> {
    let windows = run.levels.iter().filter_map(|level| level.server.as_ref());
    let sum = |of: fn(&ServerWindow) -> usize| windows.clone().map(of).sum::<usize>();
    let (odd, of) = (
        sum(|window| window.samples_disbelieved),
        sum(|window| window.samples),
    );
    (odd > 0).then(|| {
        lang.pick(
            format!(
                "{odd} of {of} readings of the metrics page have a value that cannot be: a KV cache \
                 use above 100 %, or a count that is negative or far too large. Such values are left out."
            ),
            format!(
                "指标页的 {of} 次读数中有 {odd} 次含有不可能的值：KV 缓存占用超过 100 %，或数量为负、大得离谱。\
                 这些值不予采用。"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn values_that_cannot_be_are_said_to_be_left_out() {
        let mut run = fixture::capacity();
        assert_eq!(disbelieved(&run, Lang::En), None);
        for level in &mut run.levels {
            level.server = Some(ServerWindow {
                samples: 4,
                samples_disbelieved: 1,
                ..ServerWindow::default()
            });
        }
        let levels = run.levels.len();
        let said = disbelieved(&run, Lang::En).unwrap();
        assert!(said.starts_with(&format!("{levels} of {} ", 4 * levels)));
        let said = disbelieved(&run, Lang::Zh).unwrap();
        assert!(said.contains(&format!("{levels} 次")), "{said}");
    }
}
