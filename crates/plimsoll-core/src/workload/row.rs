//! Which lengths a level takes.

use crate::level::Load;

/// Requests of one visit, at most.
const STRIDE: u64 = 1 << 32;

/// Where in the row of lengths each level begins: every load from the start, so that loads differ
/// by nothing but the load (common random numbers, statistics.md §5). A load that is visited
/// again goes on where it has not been, so that what its visits say can be pooled.
#[derive(Clone, Debug, Default)]
pub struct LengthRow {
    visits: Vec<(Load, u64)>,
}

impl LengthRow {
    /// The place of the level's first request.
    pub fn begin(&mut self, load: Load) -> u64 {
        let seen = self.visits.iter_mut().find(|(one, _)| *one == load);
        let Some((_, visits)) = seen else {
            self.visits.push((load, 1));
            return 0;
        };
        *visits += 1;
        (*visits - 1) * STRIDE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_share_their_lengths_and_visits_do_not() {
        let mut row = LengthRow::default();
        let loads = [8, 16, 8, 16, 8].map(Load::Streams);
        let begins = loads.map(|load| row.begin(load));
        assert_eq!(begins, [0, 0, STRIDE, STRIDE, 2 * STRIDE]);
    }
}
