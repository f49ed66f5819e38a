//! So many samples and no more, however long they come: each time the room is full every second
//! one goes, and from then on half as many stay. What is kept is evenly spaced, so that a mean over
//! it favours no part of the time.

use super::Sample;
use crate::time::Offset;

/// The samples of one source since they were last taken.
#[derive(Debug)]
pub struct Thinned {
    most: usize,
    /// Of the samples that come each so many-th is kept.
    every: usize,
    seen: usize,
    samples: Vec<Sample>,
}

impl Thinned {
    /// Room for so many samples, at least two; an odd number counts as the even one below.
    pub fn new(most: usize) -> Self {
        Self {
            most: (most / 2).max(1) * 2,
            every: 1,
            seen: 0,
            samples: Vec::new(),
        }
    }

    /// Adds a sample, later than those before.
    pub fn push(&mut self, sample: Sample) {
        if self.seen.is_multiple_of(self.every) {
            if self.samples.len() == self.most {
                self.halve();
            }
            self.samples.push(sample);
        }
        self.seen += 1;
    }

    /// Keeps the first, the third and so on. The number is even, so the next one to come is due.
    fn halve(&mut self) {
        let mut place = 0;
        self.samples.retain(|_| {
            place += 1;
            place % 2 == 1
        });
        self.every *= 2;
    }

    /// Takes out what was sampled up to `until`, and keeps all of what comes again.
    pub fn take(&mut self, until: Offset) -> Vec<Sample> {
        let end = self.samples.partition_point(|sample| sample.at <= until);
        let later = self.samples.split_off(end);
        (self.every, self.seen) = (1, later.len());
        std::mem::replace(&mut self.samples, later)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::telemetry::{Signals, Source};

    fn sample(nanos: u64) -> Sample {
        Sample {
            at: Offset::from_nanos(nanos),
            source: Source::Server,
            signals: Signals::default(),
        }
    }

    fn kept(thinned: &mut Thinned, until: u64) -> Vec<u64> {
        let samples = thinned.take(Offset::from_nanos(until));
        samples.iter().map(|sample| sample.at.as_nanos()).collect()
    }

    #[test]
    fn all_are_kept_as_long_as_there_is_room() {
        let mut thinned = Thinned::new(4);
        (0..4).for_each(|at| thinned.push(sample(at)));
        assert_eq!(kept(&mut thinned, 9), [0, 1, 2, 3]);
    }

    #[test]
    fn a_full_room_loses_each_second_one() {
        let mut thinned = Thinned::new(4);
        (0..7).for_each(|at| thinned.push(sample(at)));
        assert_eq!(kept(&mut thinned, 9), [0, 2, 4, 6]);
    }

    #[test]
    fn what_came_after_is_left_and_thinning_begins_anew() {
        let mut thinned = Thinned::new(4);
        (0..7).for_each(|at| thinned.push(sample(at)));
        assert_eq!(kept(&mut thinned, 4), [0, 2, 4]);
        thinned.push(sample(7));
        assert_eq!(kept(&mut thinned, 9), [6, 7]);
    }

    proptest! {
        #[test]
        fn it_is_bounded_evenly_spaced_and_begins_with_the_first(
            most in 0usize..20,
            count in 1u64..400,
        ) {
            let mut thinned = Thinned::new(most);
            (0..count).for_each(|at| thinned.push(sample(at)));
            let kept = kept(&mut thinned, count);
            prop_assert!(kept.len() <= most.max(2));
            prop_assert_eq!(kept[0], 0);
            let gap = kept.get(1).copied().unwrap_or(1);
            prop_assert!(gap.is_power_of_two());
            prop_assert!(kept.windows(2).all(|pair| pair[1] - pair[0] == gap));
            // No more is thrown away than the room demands.
            prop_assert!(gap == 1 || kept.len() > most / 2);
        }
    }
}
