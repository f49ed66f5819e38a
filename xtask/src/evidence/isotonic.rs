//! Another interval on the same levels, for comparison: the isotonic likelihood ratio with an upper
//! bound of the dispersion (statistics.md §4.3, after Banerjee & Wellner 2001). It assumes no shape,
//! only that more streams do not make an objective better.

use plimsoll_core::level::{LevelSummary, LevelVerdict};
use plimsoll_core::stats::chi2_quantile;

use super::trial::Ends;

/// 95 % quantile of χ² with one degree of freedom.
const THRESHOLD: f64 = 3.84;
/// Quantile that makes the dispersion an upper bound, and its floor.
const UPPER: f64 = 0.2;
const FLOOR: f64 = 1.5;

/// Counts of one objective at one load, over all visits.
#[derive(Clone, Debug)]
struct Load {
    streams: u32,
    over: f64,
    n: f64,
    /// (over, n) of each slice of about two request times.
    slices: Vec<(f64, f64)>,
}

/// The interval of the conjunction, streams: the smallest of the objectives' ends.
pub(super) fn interval(levels: &[LevelSummary]) -> Option<Ends> {
    let count = levels.first()?.objectives.len();
    (0..count)
        .map(|index| of_objective(&loads(levels, index)))
        .reduce(|a, b| {
            let upper = match (a.1, b.1) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            (a.0.min(b.0), upper)
        })
}

fn loads(levels: &[LevelSummary], index: usize) -> Vec<Load> {
    let mut loads: Vec<Load> = Vec::new();
    for level in levels
        .iter()
        .filter(|level| level.verdict != LevelVerdict::Void)
    {
        let (Some(streams), Some(result)) = (level.load.streams(), level.objectives.get(index))
        else {
            continue;
        };
        let slices = result
            .slices
            .iter()
            .map(|one| (f64::from(one.over), f64::from(one.n)));
        let (over, n) = (result.over.unwrap_or(0) as f64, result.n as f64);
        match loads.iter_mut().find(|load| load.streams == streams) {
            Some(load) => {
                load.over += over;
                load.n += n;
                load.slices.extend(slices);
            }
            None if n > 0.0 => loads.push(Load {
                streams,
                over,
                n,
                slices: slices.collect(),
            }),
            None => {}
        }
    }
    loads.sort_by_key(|load| load.streams);
    loads
}

fn of_objective(loads: &[Load]) -> Ends {
    let fitted = isotonic(loads);
    let allowed = super::truth::ALLOWED;
    let deviance = |capacity: u32| -> f64 {
        loads
            .iter()
            .zip(&fitted)
            .filter(|(load, share)| (load.streams <= capacity) == (**share > allowed))
            .map(|(load, share)| {
                let share = share.clamp(1e-9, 1.0 - 1e-9);
                let good = load.n - load.over;
                2.0 * (load.over * (share / allowed).ln()
                    + good * ((1.0 - share) / (1.0 - allowed)).ln())
            })
            .sum()
    };
    let starts: Vec<u32> = std::iter::once(0)
        .chain(loads.iter().map(|load| load.streams))
        .collect();
    let deviances: Vec<f64> = starts.iter().map(|start| deviance(*start)).collect();
    let least = deviances.iter().copied().fold(f64::INFINITY, f64::min);
    let bound = least + THRESHOLD * dispersion(loads);
    let inside = |i: &usize| deviances[*i] <= bound;
    let lowest = (0..starts.len()).find(inside).unwrap_or(0);
    let highest = (0..starts.len()).rev().find(inside).unwrap_or(0);
    (starts[lowest], starts.get(highest + 1).map(|next| next - 1))
}

/// Pearson's χ² of the slices within each load over a low quantile of its law.
fn dispersion(loads: &[Load]) -> f64 {
    let (mut chi2, mut df) = (0.0, 0.0);
    for load in loads
        .iter()
        .filter(|load| load.over > 0.0 && load.over < load.n)
    {
        let share = load.over / load.n;
        for (over, n) in load.slices.iter().filter(|slice| slice.1 > 0.0) {
            chi2 += (over - n * share).powi(2) / (n * share * (1.0 - share));
            df += 1.0;
        }
        df -= 1.0;
    }
    if df < 1.0 {
        FLOOR
    } else {
        (chi2 / chi2_quantile(UPPER, df)).max(FLOOR)
    }
}

/// Pool adjacent violators: the non-decreasing fit of the shares.
fn isotonic(loads: &[Load]) -> Vec<f64> {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for load in loads {
        blocks.push((load.over / load.n, load.n, 1));
        while let [.., (low, n, count), (high, more, others)] = blocks.as_slice()
            && low > high
        {
            let total = n + more;
            let pooled = ((low * n + high * more) / total, total, count + others);
            blocks.truncate(blocks.len() - 2);
            blocks.push(pooled);
        }
    }
    blocks
        .into_iter()
        .flat_map(|(share, _, count)| std::iter::repeat_n(share, count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(all: &[(u32, f64, f64)]) -> Vec<Load> {
        let load = |&(streams, over, n): &(u32, f64, f64)| Load {
            streams,
            over,
            n,
            slices: Vec::new(),
        };
        all.iter().map(load).collect()
    }

    #[test]
    fn the_fit_never_falls() {
        let fitted = isotonic(&loads(&[
            (1, 10.0, 100.0),
            (2, 30.0, 100.0),
            (3, 60.0, 300.0),
            (4, 50.0, 100.0),
        ]));
        assert_eq!(fitted, vec![0.1, 0.225, 0.225, 0.5]);
    }

    #[test]
    fn a_cliff_between_two_neighbours_leaves_one_answer() {
        let found = of_objective(&loads(&[
            (1, 0.0, 100.0),
            (47, 0.0, 400.0),
            (48, 300.0, 400.0),
        ]));
        assert_eq!(found, (47, Some(47)));
    }

    #[test]
    fn what_is_in_doubt_widens_it_to_the_next_level() {
        // 9 and 11 of 200 are within 3.84 · 1.5 of 5 %; 0 of 200 and 100 of 200 are not.
        let found = of_objective(&loads(&[
            (32, 0.0, 200.0),
            (44, 9.0, 200.0),
            (48, 11.0, 200.0),
            (64, 100.0, 200.0),
        ]));
        assert_eq!(found, (32, Some(63)));
    }
}
