//! The loop of every run: which level is wanted, the level, and what it says.

use std::time::Duration;

use super::{Next, Search, Searches, TierLevel};
use crate::level::{FinishedLevel, LevelPlan, LevelSummary};
use crate::runner::{Go, Progress, Runner};
use crate::slo::Slo;
use crate::time::Offset;

/// What says which level is run next, and takes what it says.
pub trait Levels {
    /// The next level, `elapsed` into the run; `None` when there is nothing left to run.
    fn next(&mut self, elapsed: Duration) -> Option<TierLevel>;

    /// Takes a level that was held as planned. Returns it as the report is to show it.
    fn take(&mut self, finished: &FinishedLevel) -> LevelSummary;
}

impl Levels for Searches {
    fn next(&mut self, elapsed: Duration) -> Option<TierLevel> {
        Searches::next(self, elapsed)
    }

    fn take(&mut self, finished: &FinishedLevel) -> LevelSummary {
        Searches::take(self, finished)
    }
}

impl Levels for Search {
    fn next(&mut self, elapsed: Duration) -> Option<TierLevel> {
        match Search::next(self, elapsed) {
            Next::Run(plan) => Some(TierLevel {
                tier: 0,
                plan,
                slo: self.config.slo.clone(),
            }),
            Next::Done(_) => None,
        }
    }

    fn take(&mut self, finished: &FinishedLevel) -> LevelSummary {
        Search::take(self, finished.summary.clone());
        finished.summary.clone()
    }
}

/// One level, and no more.
#[derive(Debug)]
pub struct OneLevel(Option<TierLevel>);

impl OneLevel {
    /// The level, held for these objectives.
    pub fn new(plan: LevelPlan, slo: Slo) -> Self {
        Self(Some(TierLevel { tier: 0, plan, slo }))
    }
}

impl Levels for OneLevel {
    fn next(&mut self, _elapsed: Duration) -> Option<TierLevel> {
        self.0.take()
    }

    fn take(&mut self, finished: &FinishedLevel) -> LevelSummary {
        finished.summary.clone()
    }
}

/// Whoever is told what happens in a run, and may end it.
pub trait Listener {
    /// Why the run cannot go on.
    type Error;

    /// Whether the run is to go on. Asked before each level and after it: a level after which it
    /// says no was cut.
    fn go(&self) -> Go {
        Go::On
    }

    /// A level begins.
    ///
    /// # Errors
    /// The run cannot go on.
    fn started(&mut self, _plan: &LevelPlan, _at: Offset) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A level goes on; several times a second. Whether it is to.
    fn progress(&mut self, _progress: &Progress<'_>) -> Go {
        self.go()
    }

    /// A level was held as planned.
    ///
    /// # Errors
    /// The run cannot go on.
    fn finished(&mut self, _level: FinishedLevel) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A level was interrupted: it was not held as planned, so nothing is concluded from it.
    ///
    /// # Errors
    /// The run cannot go on.
    fn cut(&mut self, _level: FinishedLevel) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Runs one level after another until none is wanted, or the listener ends it.
///
/// # Errors
/// The runner cannot carry the load, or the listener cannot go on.
pub fn drive<R, L>(
    levels: &mut impl Levels,
    runner: &mut R,
    listener: &mut L,
) -> Result<(), L::Error>
where
    R: Runner,
    L: Listener,
    L::Error: From<R::Error>,
{
    while let Some(wanted) = levels.next(runner.now().since(Offset::ZERO)) {
        if listener.go() == Go::Stop {
            break;
        }
        listener.started(&wanted.plan, runner.now())?;
        let mut on_progress = |progress: Progress<'_>| listener.progress(&progress);
        let mut level = runner.run_level(wanted.plan, &wanted.slo, &mut on_progress)?;
        if listener.go() == Go::Stop {
            listener.cut(level)?;
            break;
        }
        level.summary = levels.take(&level);
        listener.finished(level)?;
    }
    Ok(())
}

/// Nobody listens: for whoever only wants the answer.
#[derive(Clone, Copy, Debug)]
pub struct Unheard;

impl Listener for Unheard {
    type Error = std::convert::Infallible;
}
