//! Seeded generators, one per (seed, name, index), so that a draw added in one place shifts no other.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Returns the generator of the stream `name` with number `index`.
///
/// Guarantees: the same three arguments give the same numbers on every platform and release.
pub(crate) fn stream(seed: u64, name: &str, index: u64) -> ChaCha8Rng {
    let mut state = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
    for byte in name.bytes() {
        state = mix(state ^ u64::from(byte));
    }
    ChaCha8Rng::seed_from_u64(mix(state ^ index))
}

/// Scrambles 64 bits: the finaliser of `SplitMix64` (Steele, Lea & Flood 2014).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::stream;
    use rand::Rng;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |name, index| stream(7, name, index).next_u64();
        assert_eq!(draw("jitter", 0), draw("jitter", 0));
        assert_ne!(draw("jitter", 0), draw("jitter", 1));
        assert_ne!(draw("jitter", 0), draw("fate", 0));
    }
}
