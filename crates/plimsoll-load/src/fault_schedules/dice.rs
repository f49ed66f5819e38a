//! What a seed decides. Each decision has dice of its own, so that none depends on the order in
//! which others are made.

/// What is decided.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// What the client does.
    Load,
    /// What becomes of an attempt to connect.
    Dial(u64),
    /// What the server does with a request, each time it comes.
    Request(u64, u64),
}

/// Dice of one decision: `SplitMix64` (Steele, Lea, Flood 2014), which costs next to nothing in a
/// build that is not optimised.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64, of: Of) -> Self {
        let words = match of {
            Of::Load => [0, 0, 0],
            Of::Dial(number) => [1, number, 0],
            Of::Request(index, attempt) => [2, index, attempt],
        };
        let mixed = |dice: Self, word| Self(Self(dice.0 ^ word).next());
        words.into_iter().fold(Self(seed), mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
