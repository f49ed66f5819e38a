//! Who of several workers carries what: each takes every `count`-th, from its own place on.

use serde::{Deserialize, Serialize};

/// A worker among all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its place, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Share {
    /// The shares of `count` workers.
    pub fn split(count: u32) -> impl Iterator<Item = Self> {
        (0..count).map(move |index| Self { index, count })
    }

    /// What it takes of a series.
    pub fn of<I: IntoIterator>(self, all: I) -> impl Iterator<Item = I::Item> {
        all.into_iter()
            .skip(self.index as usize)
            .step_by(self.count as usize)
    }

    /// Its part of a number of places: the parts of all workers add up to it.
    pub fn part(self, places: u32) -> u32 {
        places / self.count + u32::from(self.index < places % self.count)
    }

    /// The number of its `nth` request, where those of all workers begin at `first`.
    pub fn number(self, first: u64, nth: u64) -> u64 {
        first + u64::from(self.index) + nth * u64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_number_of_workers_takes_the_same(length in 0..100u64, count in 1..20u32, first in 0..9u64) {
            let all: Vec<u64> = (first..first + length).collect();
            let mut taken: Vec<(u64, u64)> = Share::split(count)
                .flat_map(|share| {
                    let numbers = (0..).map(move |nth| share.number(first, nth));
                    share.of(all.clone()).zip(numbers)
                })
                .collect();
            taken.sort_unstable();
            let numbered: Vec<(u64, u64)> = all.iter().map(|one| (*one, *one)).collect();
            prop_assert_eq!(taken, numbered);
        }

        #[test]
        fn the_parts_of_a_number_add_up(places in 0..10_000u32, count in 1..50u32) {
            let parts: Vec<u32> = Share::split(count).map(|share| share.part(places)).collect();
            prop_assert_eq!(parts.iter().sum::<u32>(), places);
            prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
