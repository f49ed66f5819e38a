//! Spans in bounded memory: buckets whose width grows with the value.

use crate::server::Latency;

/// Values of so many bits have a bucket each, and every octave above has half as many buckets: a
/// span of 50 ms lies within 1.1 µs of its bucket's middle, one below 32 µs is exact.
const BITS: u32 = 15;

/// Counts of spans in ns. Quantiles are within 2^−15 of the value; mean and maximum are exact.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    /// As long as the largest value needs: 2 MB at some seconds.
    counts: Vec<u64>,
    n: u64,
    sum_ns: u128,
    max_ns: u64,
}

impl Histogram {
    pub(super) fn record(&mut self, ns: u64, times: u64) {
        if times == 0 {
            return;
        }
        let bucket = bucket(ns);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += times;
        self.n += times;
        self.sum_ns += u128::from(ns) * u128::from(times);
        self.max_ns = self.max_ns.max(ns);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.n += other.n;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Returns its statistics in ms; `None` if it is empty.
    pub(super) fn latency(&self) -> Option<Latency> {
        (self.n > 0).then(|| Latency {
            n: self.n as usize,
            mean: self.sum_ns as f64 / self.n as f64 / 1e6,
            p50: self.quantile_ms(0.50),
            p90: self.quantile_ms(0.90),
            p95: self.quantile_ms(0.95),
            p99: self.quantile_ms(0.99),
            max: self.max_ns as f64 / 1e6,
        })
    }

    /// Interpolates linearly between ranks, as numpy does.
    fn quantile_ms(&self, q: f64) -> f64 {
        let at = q * (self.n - 1) as f64;
        let below = self.value_at(at.floor() as u64);
        let above = self.value_at(at.ceil() as u64);
        (below + (above - below) * at.fract()) / 1e6
    }

    /// The middle of the bucket that holds the value of this rank (from 0), in ns.
    fn value_at(&self, rank: u64) -> f64 {
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen > rank
        });
        let middle = found.map_or(f64::INFINITY, middle_ns);
        middle.min(self.max_ns as f64)
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
    use super::{Histogram, bucket, middle_ns};

    #[test]
    fn every_value_is_near_the_middle_of_its_bucket() {
        let mut last = 0;
        for ns in (0..50).flat_map(|bits| [1_u64 << bits, (1 << bits) + (1 << bits) / 3]) {
            let at = bucket(ns);
            assert!(at >= last, "buckets rise with the value");
            last = at;
            let error = (middle_ns(at) - ns as f64).abs();
            assert!(error <= ns as f64 / 32_768.0, "{ns} ns: {error}");
        }
        assert_eq!(bucket(32_767) + 1, bucket(32_768), "without a hole");
        assert_eq!(bucket(65_535) + 1, bucket(65_536));
    }

    #[test]
    fn statistics_are_those_of_the_values() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        assert!(one.latency().is_none());
        one.record(4_000, 1);
        one.record(1_000, 1);
        other.record(3_000, 1);
        other.record(2_000, 1);
        one.merge(&other);
        let latency = one.latency().unwrap();
        assert_eq!(latency.n, 4);
        assert!((latency.p50 - 0.002_5).abs() < 1e-9);
        assert!((latency.p90 - 0.003_7).abs() < 1e-9);
        assert!((latency.mean - 0.002_5).abs() < 1e-9);
        assert!((latency.max - 0.004).abs() < 1e-9);
    }
}
