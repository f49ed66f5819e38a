//! What is asked for after a level that told nothing: the same load again, another, or no more.

use std::time::Duration;

use super::{MOST_VISITS, Search, Stop};
use crate::level::{LevelSummary, Purpose};

impl Search {
    /// After a level that the client's lateness made void: the same once more, then a lower load,
    /// where there is less to be late with. The machine may have more time later, so this goes on
    /// for as long as the budget does.
    pub(super) fn retry(
        &self,
        last: &LevelSummary,
        elapsed: Duration,
    ) -> Result<(u32, Purpose), Stop> {
        let rung = self.rung(last);
        let is_again = |level: &&LevelSummary| level.is_by_lateness() && self.rung(level) == rung;
        let since = &self.levels[self.past..];
        let tries = since.iter().rev().take_while(is_again).count();
        if tries < MOST_VISITS || last.purpose == Purpose::Baseline {
            return Ok((rung, last.purpose));
        }
        match self.bracket() {
            (low, None) if rung > low.max(1) + 1 => {
                Ok((self.between(low.max(1), rung), Purpose::Ramp))
            }
            (_, None) => Ok((rung, last.purpose)),
            (_, Some(_)) => self.by_bracket(elapsed),
        }
    }

    /// After a level at whose end the server was silent. One that refuses connections is gone. One
    /// that only does not answer may have lost the requests that it has: one more stream, where that
    /// is allowed, asks again. Or it has paused, and answers them.
    pub(super) fn listen_again(&self, last: &LevelSummary) -> Result<(u32, Purpose), Stop> {
        let at_streams = self.rung(last);
        let silent = self.levels[self.past..].iter().rev();
        let silent = silent.take_while(|level| level.shows_no_server()).count();
        let refuses = last.silence.is_none_or(|silence| silence.refuses);
        if refuses || silent >= MOST_VISITS || at_streams == 0 {
            return Err(Stop::ServerGone { at_streams });
        }
        Ok(((at_streams + 1).min(self.most()), Purpose::Ramp))
    }
}
