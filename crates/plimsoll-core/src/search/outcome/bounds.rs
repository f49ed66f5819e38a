//! The capacity of a search, in rungs, by the reason it stopped.

use super::super::visits::Known;
use super::super::{Search, Stop};
use crate::verdict::Capacity;

/// The capacity in rungs.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) rung: u32,
    pub(super) lower: u32,
    pub(super) upper: Option<u32>,
}

impl Bounds {
    /// An interval that reaches above the highest load allowed has no upper end: nothing was to be
    /// looked at there.
    pub(super) fn capacity(self, search: &Search) -> Capacity {
        let load = |rung| search.config.axis.load(rung);
        let within = |rung: &u32| *rung <= search.most();
        Capacity {
            at: load(self.rung),
            lower: load(self.lower),
            upper: self.upper.filter(within).map(load),
        }
    }
}

pub(super) fn bounds(
    search: &Search,
    stop: Stop,
    low: u32,
    known: Option<Known>,
) -> Option<Bounds> {
    let ceiling = search.ceiling();
    let found = match stop {
        Stop::Growth { from_streams } | Stop::FullBatch { from_streams } => {
            let rung = from_streams.min(low);
            let mut ramp = search
                .ramp_levels()
                .into_iter()
                .map(|level| search.rung(level));
            let upper = ramp.find(|load| *load > rung);
            Some(Bounds {
                rung,
                lower: rung,
                upper,
            })
        }
        Stop::Resources { at_streams } => {
            let mut loads = search.standings().into_keys().rev();
            let rung = loads.find(|load| *load < at_streams)?;
            let upper = Some(at_streams - 1);
            Some(Bounds {
                rung,
                lower: rung,
                upper,
            })
        }
        Stop::NotMonotone => {
            let (broken, _) = search.inversion()?;
            let rung = search.highest_held_below(broken);
            Some(Bounds {
                rung,
                lower: rung,
                upper: Some(broken - 1),
            })
        }
        _ => {
            let unbroken = Bounds {
                rung: low,
                lower: if search.was_held(low) { low } else { 0 },
                upper: None,
            };
            Some(known.map_or(unbroken, |known| Bounds {
                rung: known.rung,
                lower: known.lower,
                upper: Some(known.upper),
            }))
        }
    };
    // However it was found, it lies below what was decided against.
    found
        .map(|bounds| Bounds {
            rung: bounds.rung.min(ceiling),
            lower: bounds.lower.min(ceiling),
            ..bounds
        })
        .filter(|bounds| bounds.rung > 0)
}
