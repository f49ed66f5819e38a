//! Redrawing the phases of streams whose requests all take the same time (statistics.md §3.2).
//!
//! A level is cut into blocks. A stream that ends its first request of a block pauses once, for a
//! time drawn evenly from one mean request time; so every block starts from phases of its own. What
//! follows the redraw is one draw of the phases, however many requests it has.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::time::Offset;

/// What counts of a block, in mean request times.
const COUNTED: u32 = 5;
/// The redraw itself: every stream ends the request it has and pauses, each up to a request time.
pub const REDRAW_REQUEST_TIMES: u32 = 2;
/// A block that was cut off counts from this many mean request times on.
const LEAST_COUNTED: u32 = 3;

/// The redraws of a level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Redraw {
    /// Start of the level.
    pub from: Offset,
    /// Mean request time: the longest pause.
    pub request_time: Duration,
    /// What the pauses are drawn from.
    pub seed: u64,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Start.
    pub from: Offset,
    /// End.
    pub to: Offset,
}

impl Stretch {
    /// Whether a moment lies in it.
    pub fn contains(self, at: Offset) -> bool {
        at >= self.from && at <= self.to
    }

    /// Those of a series in the order of time that lie in it.
    pub fn among<T>(self, series: &[T], at: impl Fn(&T) -> Offset) -> &[T] {
        let first = series.partition_point(|one| at(one) < self.from);
        let end = series.partition_point(|one| at(one) <= self.to);
        &series[first..end.max(first)]
    }
}

impl Redraw {
    /// How long `stream` pauses after a request that was sent at `sent` and is over `now`: zero
    /// unless a block began meanwhile.
    pub fn pause(&self, stream: u32, sent: Offset, now: Offset) -> Duration {
        let block = self.block_at(now);
        if block == 0 || block == self.block_at(sent) {
            return Duration::ZERO;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ self.from.as_nanos());
        rng.set_stream((block << 32) | u64::from(stream));
        self.request_time.mul_f64(rng.random::<f64>())
    }

    /// What counts of each block within a window; the window itself where it is too short for that.
    pub fn stretches(&self, window: Stretch) -> Vec<Stretch> {
        let least = self.request_time * LEAST_COUNTED;
        let blocks =
            (window.to.since(self.from).as_secs_f64() / self.length().as_secs_f64()).ceil();
        let found: Vec<Stretch> = (0..=blocks as u32)
            .map(|block| {
                let from = self.from + self.length() * block;
                Stretch {
                    from: (from + self.request_time * REDRAW_REQUEST_TIMES).max(window.from),
                    to: (from + self.length()).min(window.to),
                }
            })
            .take_while(|stretch| stretch.from < window.to)
            .filter(|stretch| stretch.to.since(stretch.from) >= least)
            .collect();
        if found.is_empty() {
            vec![window]
        } else {
            found
        }
    }

    /// The share of the time that streams spend in their pauses.
    pub fn paused_ratio() -> f64 {
        0.5 / f64::from(COUNTED + REDRAW_REQUEST_TIMES)
    }

    fn length(&self) -> Duration {
        self.request_time * (COUNTED + REDRAW_REQUEST_TIMES)
    }

    /// Number of the block at a moment: 0 before the level.
    fn block_at(&self, at: Offset) -> u64 {
        if at < self.from {
            return 0;
        }
        let length = self.length().as_nanos().max(1);
        1 + (u128::from(at.as_nanos() - self.from.as_nanos()) / length) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Offset {
        Offset::from_nanos(ms * 1_000_000)
    }

    /// A block is 700 ms.
    const REDRAW: Redraw = Redraw {
        from: Offset::from_nanos(1_000_000_000),
        request_time: Duration::from_millis(100),
        seed: 1,
    };

    #[test]
    fn a_stream_pauses_once_in_a_block() {
        // The request that was in flight when the level began, and the one across a border.
        assert!(!REDRAW.pause(0, at(950), at(1_050)).is_zero());
        assert!(REDRAW.pause(0, at(1_050), at(1_150)).is_zero());
        assert!(REDRAW.pause(0, at(1_580), at(1_690)).is_zero());
        assert!(!REDRAW.pause(0, at(1_690), at(1_790)).is_zero());
    }

    #[test]
    fn pauses_spread_over_a_request_time_and_differ_between_blocks() {
        let pauses = |sent: u64| -> Vec<Duration> {
            (0..200)
                .map(|stream| REDRAW.pause(stream, at(sent), at(sent + 100)))
                .collect()
        };
        let (first, second) = (pauses(950), pauses(1_650));
        assert!(first.iter().all(|pause| *pause < REDRAW.request_time));
        let mean = first.iter().sum::<Duration>() / 200;
        assert!((40..60).contains(&mean.as_millis()), "{mean:?}");
        assert_ne!(first, second);
        assert_eq!(first, pauses(950));
    }

    #[test]
    fn what_counts_leaves_out_the_redraws() {
        let window = Stretch {
            from: at(1_250),
            to: at(2_800),
        };
        let found: Vec<(u64, u64)> = REDRAW
            .stretches(window)
            .iter()
            .map(|one| {
                (
                    one.from.as_nanos() / 1_000_000,
                    one.to.as_nanos() / 1_000_000,
                )
            })
            .collect();
        // The third block, 2 400 to 3 100, counts from 2 600 on: 200 ms are too few.
        assert_eq!(found, [(1_250, 1_700), (1_900, 2_400)]);
        let short = Stretch {
            to: at(1_400),
            ..window
        };
        assert_eq!(REDRAW.stretches(short), [short]);
    }
}
