//! Spans in bounded memory, sharpest where they are expected to lie.
//!
//! A span is kept as its distance from the one that the schedule asks for, in buckets whose width
//! grows with that distance. So lateness of microseconds is told in nanoseconds, whether the
//! schedule asks for 1 ms or for 10 s.

use crate::server::Latency;

/// Distances of so many bits have a bucket each, and every octave above has half as many buckets:
/// 0.2 ms is exact, 10 s within 33 µs of its bucket's middle.
const BITS: u32 = 18;
/// Buckets that are made together, when the first of them is needed: making all up to 10 s at once
/// would hold up the streams for milliseconds.
const PAGE: usize = 4096;

/// Counts of spans in ns. Quantiles are within 4 ppm of the distance from what is expected; mean
/// and maximum are exact.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    expected_ns: u64,
    shorter: Distances,
    longer: Distances,
    sum_ns: u128,
    max_ns: u64,
}

impl Histogram {
    pub(super) fn around(expected_ns: u64) -> Self {
        Self {
            expected_ns,
            shorter: Distances::default(),
            longer: Distances::default(),
            sum_ns: 0,
            max_ns: 0,
        }
    }

    pub(super) fn record(&mut self, ns: u64, times: u64) {
        if times == 0 {
            return;
        }
        if ns < self.expected_ns {
            self.shorter.record(self.expected_ns - ns, times);
        } else {
            self.longer.record(ns - self.expected_ns, times);
        }
        self.sum_ns += u128::from(ns) * u128::from(times);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Adds another one around the same span.
    pub(super) fn merge(&mut self, other: &Self) {
        self.shorter.merge(&other.shorter);
        self.longer.merge(&other.longer);
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    fn n(&self) -> u64 {
        self.shorter.n + self.longer.n
    }

    /// Returns its statistics in ms; `None` if it is empty.
    pub(super) fn latency(&self) -> Option<Latency> {
        let n = self.n();
        (n > 0).then(|| Latency {
            n: n as usize,
            mean: self.sum_ns as f64 / n as f64 / 1e6,
            p50: self.quantile_ms(0.50),
            p90: self.quantile_ms(0.90),
            p95: self.quantile_ms(0.95),
            p99: self.quantile_ms(0.99),
            max: self.max_ns as f64 / 1e6,
        })
    }

    /// Interpolates linearly between ranks, as numpy does.
    fn quantile_ms(&self, q: f64) -> f64 {
        let at = q * (self.n() - 1) as f64;
        let below = self.value_at(at.floor() as u64);
        let above = self.value_at(at.ceil() as u64);
        (below + (above - below) * at.fract()) / 1e6
    }

    /// The value of this rank, counted from 0, in ns.
    fn value_at(&self, rank: u64) -> f64 {
        let expected = self.expected_ns as f64;
        let value = match rank.checked_sub(self.shorter.n) {
            Some(rank) => expected + self.longer.at(rank),
            None => expected - self.shorter.at(self.shorter.n - 1 - rank),
        };
        value.clamp(0.0, self.max_ns as f64)
    }
}

/// Counts of distances in ns.
#[derive(Debug, Clone, Default)]
struct Distances {
    pages: Vec<Option<Box<[u64]>>>,
    n: u64,
}

impl Distances {
    fn record(&mut self, ns: u64, times: u64) {
        let bucket = bucket(ns);
        self.page(bucket / PAGE)[bucket % PAGE] += times;
        self.n += times;
    }

    fn page(&mut self, index: usize) -> &mut [u64] {
        if self.pages.len() <= index {
            self.pages.resize(index + 1, None);
        }
        self.pages[index].get_or_insert_with(|| vec![0; PAGE].into())
    }

    fn merge(&mut self, other: &Self) {
        for (index, more) in other.made_pages() {
            for (count, more) in self.page(index).iter_mut().zip(more) {
                *count += more;
            }
        }
        self.n += other.n;
    }

    fn made_pages(&self) -> impl Iterator<Item = (usize, &[u64])> {
        let pages = self.pages.iter().enumerate();
        pages.filter_map(|(index, page)| Some((index, page.as_deref()?)))
    }

    /// The middle of the bucket that holds the distance of this rank, in ns.
    fn at(&self, rank: u64) -> f64 {
        let mut seen = 0;
        for (index, page) in self.made_pages() {
            let found = page.iter().position(|count| {
                seen += count;
                seen > rank
            });
            if let Some(place) = found {
                return middle_ns(index * PAGE + place);
            }
        }
        f64::INFINITY
    }
}

fn bucket(ns: u64) -> usize {
    let octave = (u64::BITS - ns.leading_zeros()).saturating_sub(BITS);
    ((u64::from(octave) << (BITS - 1)) + (ns >> octave)) as usize
}

fn middle_ns(bucket: usize) -> f64 {
    let half = 1_usize << (BITS - 1);
    let octave = (bucket / half).saturating_sub(1);
    let low = (bucket - octave * half) << octave;
    low as f64 + ((1_u64 << octave) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::{BITS, Histogram, bucket, middle_ns};

    #[test]
    fn every_distance_is_near_the_middle_of_its_bucket() {
        let mut last = 0;
        for ns in (0..50).flat_map(|bits| [1_u64 << bits, (1 << bits) + (1 << bits) / 3]) {
            let at = bucket(ns);
            assert!(at >= last, "buckets rise with the distance");
            last = at;
            let error = (middle_ns(at) - ns as f64).abs();
            assert!(
                error <= ns as f64 / f64::from(1 << BITS),
                "{ns} ns: {error}"
            );
        }
        for edge in [1_u64 << BITS, 1 << (BITS + 1)] {
            assert_eq!(bucket(edge - 1) + 1, bucket(edge), "without a hole");
        }
    }

    #[test]
    fn statistics_are_those_of_the_values_whatever_was_expected() {
        for expected_ns in [0, 2_000, 2_500, 50_000] {
            let mut one = Histogram::around(expected_ns);
            let mut other = one.clone();
            assert!(one.latency().is_none());
            one.record(4_000, 1);
            one.record(1_000, 1);
            other.record(3_000, 1);
            other.record(2_000, 1);
            one.merge(&other);
            let latency = one.latency().unwrap();
            assert_eq!(latency.n, 4);
            assert!((latency.p50 - 0.002_5).abs() < 1e-9, "{latency:?}");
            assert!((latency.p90 - 0.003_7).abs() < 1e-9);
            assert!((latency.mean - 0.002_5).abs() < 1e-9);
            assert!((latency.max - 0.004).abs() < 1e-9);
        }
    }
}
