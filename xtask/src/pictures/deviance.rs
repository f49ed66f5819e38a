//! The deviance of each capacity from the levels of a search, for one objective that is a share
//! (statistics.md §4.3).

use std::collections::BTreeMap;

use plimsoll_core::level::{LevelSummary, LevelVerdict};

/// What the levels at one load say: requests over the bound, divided by their autocorrelation time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    pub(super) over: f64,
    pub(super) n: f64,
}

impl Evidence {
    pub(super) fn share(&self) -> f64 {
        self.over / self.n
    }
}

/// The evidence of the first objective at each load, all visits together.
pub(super) fn evidence(levels: &[LevelSummary]) -> BTreeMap<u32, Evidence> {
    let mut evidence: BTreeMap<u32, Evidence> = BTreeMap::new();
    for level in levels {
        let known = level.load.streams().zip(level.objectives.first());
        let Some((streams, result)) = known.filter(|_| level.verdict != LevelVerdict::Void) else {
            continue;
        };
        if let Some(over) = result.over.filter(|_| result.n > 0) {
            let all = evidence.entry(streams).or_default();
            all.over += over as f64 / result.autocorrelation;
            all.n += result.n as f64 / result.autocorrelation;
        }
    }
    evidence
}

/// D(C) for each capacity from 0 to `last`: what the levels up to C that break the bound, and those
/// above it that meet it, weigh against C.
pub(super) fn deviance(evidence: &BTreeMap<u32, Evidence>, allowed: f64, last: u32) -> Vec<f64> {
    let fitted = isotonic(evidence);
    let against = |capacity: u32| {
        let contradicts = |load: u32, share: f64| {
            (load <= capacity && share > allowed) || (load > capacity && share < allowed)
        };
        let pairs = evidence.iter().zip(&fitted);
        pairs
            .filter(|((load, _), share)| contradicts(**load, **share))
            .map(|((_, one), share)| weighed(one, *share, allowed))
            .sum()
    };
    (0..=last).map(against).collect()
}

/// Twice the log likelihood ratio of a share against the allowed one.
fn weighed(one: &Evidence, share: f64, allowed: f64) -> f64 {
    let term = |count: f64, ratio: f64| if count > 0.0 { count * ratio.ln() } else { 0.0 };
    let good = term(one.n - one.over, (1.0 - share) / (1.0 - allowed));
    2.0 * (term(one.over, share / allowed) + good)
}

/// Pool adjacent violators: shares that do not fall with the load.
fn isotonic(evidence: &BTreeMap<u32, Evidence>) -> Vec<f64> {
    let mut blocks: Vec<(Evidence, usize)> = Vec::new();
    for one in evidence.values() {
        blocks.push((*one, 1));
        while let [.., (low, count), (high, more)] = blocks.as_slice() {
            if low.share() < high.share() {
                break;
            }
            let both = Evidence {
                over: low.over + high.over,
                n: low.n + high.n,
            };
            let count = count + more;
            blocks.truncate(blocks.len() - 2);
            blocks.push((both, count));
        }
    }
    let each = |(block, count): &(Evidence, usize)| vec![block.share(); *count];
    blocks.iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(table: &[(u32, f64, f64)]) -> BTreeMap<u32, Evidence> {
        let one = |&(load, over, n)| (load, Evidence { over, n });
        table.iter().map(one).collect()
    }

    #[test]
    fn what_agrees_with_a_capacity_weighs_nothing_against_it() {
        let clean = levels(&[(10, 0.0, 200.0), (20, 100.0, 200.0)]);
        let found = deviance(&clean, 0.05, 25);
        assert!(found[10..20].iter().all(|one| one.abs() < 1e-12));
        // 200 clean requests against a share of 5 %: 2·200·ln(1/0.95).
        assert!((found[9] - 400.0 * (1.0f64 / 0.95).ln()).abs() < 1e-9);
        assert!(found[20] > 100.0);
    }

    #[test]
    fn shares_that_fall_are_pooled() {
        let found = isotonic(&levels(&[(1, 1.0, 10.0), (2, 0.0, 10.0), (3, 5.0, 10.0)]));
        assert_eq!(found, [0.05, 0.05, 0.5]);
    }
}
