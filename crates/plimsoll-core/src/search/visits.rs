//! At the edge: which load to visit next, and when enough is known.
//!
//! Visits alternate between a load just below the likeliest capacity and one just above it, as far
//! apart as it is uncertain: batches of different visits are independent, and a load entered from
//! both sides shows what the server remembers (statistics.md §4.2.3).

use std::time::Duration;

use super::edge::{Edge, edge};
use super::{Axis, Search, Stop};
use crate::judge::Confidence;
use crate::level::{LevelSummary, LevelVerdict, Purpose};

/// Of the error that is allowed on either side, so much is left outside the interval: where 95 % are
/// asked for it is made for 97 %, so that 95 % is left for what no model has (statistics.md §9.3).
const PART_OF_ERROR: f64 = 0.6;
/// Loads are visited this far from the likeliest capacity, in standard deviations of it: near enough
/// to meet a cliff between two loads that are decided …
const REACH: f64 = 0.5;
/// … and at most this far, in ln N.
const FURTHEST: f64 = 0.1;
/// The interval is narrow enough where its ends are neighbours, or at this ratio: ±5 %.
pub(crate) const NARROW: f64 = 1.1;
/// Visits before the interval is believed.
const FEWEST_VISITS: usize = 4;
/// A load counts as seen if one this near has been visited, as a ratio.
const NEAR: f64 = 0.01;
/// A visit with all that comes before its window, in request times.
const VISIT_REQUEST_TIMES: f64 = 10.0;
/// A visit of a rate, in request times, where so many visits fit into the budget; a queue near its
/// edge takes that long to build (statistics.md §8), and no visit is shorter than the other number.
const RATE_VISIT_REQUEST_TIMES: f64 = 100.0;
const RATE_VISITS: u32 = 20;
const LEAST_RATE_VISIT_REQUEST_TIMES: f64 = 8.0;
/// What comes before its window, in request times.
const BEFORE_VISIT_REQUEST_TIMES: f64 = 2.0;
/// The hold at the cap of a rate (statistics.md §8, 2).
const RATE_CONFIRM_REQUEST_TIMES: f64 = 50.0;
/// The hold at the gateway cap (method.md §5.6), and what comes before it, in request times.
const CONFIRM: Duration = Duration::from_secs(120);
const CONFIRM_REQUEST_TIMES: f64 = 10.0;
/// It takes no more than this share of the budget: first the edge has to be found.
const CONFIRM_SHARE: f64 = 0.25;
const BEFORE_CONFIRM_REQUEST_TIMES: f64 = 2.0;
/// The edge is looked for from this part of the lowest load visited to that multiple of the highest.
const BELOW: f64 = 1.0 / 3.0;
const ABOVE: f64 = 2.2;
/// Below one stream: no load holds.
const LEAST_STREAMS: f64 = 0.4;

/// Chance left outside the interval on either side.
pub fn tail(confidence: Confidence) -> f64 {
    confidence.side() * PART_OF_ERROR
}

/// What is known of the capacity, in rungs; 0 where no load holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    /// The likeliest capacity.
    pub(super) rung: u32,
    /// Its interval.
    pub(super) lower: u32,
    pub(super) upper: u32,
    /// Index of the objective that is likeliest to break first.
    pub(super) binding: usize,
}

impl Search {
    /// What the levels say of the capacity, once something broke.
    pub(super) fn known(&self) -> Option<Known> {
        self.edge().map(|edge| self.known_by(&edge))
    }

    fn known_by(&self, edge: &Edge) -> Known {
        let rung_of = |q: f64| self.config.axis.at_most(edge.quantile(q));
        let (most, sure) = self.saturation_rungs();
        let rung = rung_of(0.5).min(self.most()).min(sure).min(self.ceiling());
        let tail = tail(self.config.settings.confidence);
        let (lower, upper) = self.stretched(rung_of(tail), rung_of(1.0 - tail));
        Known {
            rung,
            lower: lower.min(rung).min(self.below_broken_hold()),
            upper: upper.min(most).max(rung),
            binding: edge.binding,
        }
    }

    /// The rung below a hold at the cap that broke: no cap is advised that was seen to break.
    fn below_broken_hold(&self) -> u32 {
        let broke = |level: &&LevelSummary| {
            level.purpose == Purpose::Confirm && level.verdict == LevelVerdict::Fail
        };
        let broken = self.levels.iter().filter(broke);
        let lowest = broken.map(|level| self.rung(level)).min();
        lowest.map_or(u32::MAX, |rung| rung.saturating_sub(1))
    }

    /// An interval whose ends reach to the loads that stand for them: between an end and a load that
    /// is near enough to count as seen, nothing is known.
    fn stretched(&self, lower: u32, upper: u32) -> (u32, u32) {
        let amount = |rung| self.config.axis.amount(rung);
        let visits = self.visits();
        let below = visits.iter().copied().filter(|visit| *visit <= lower).max();
        let above = visits.iter().copied().filter(|visit| *visit > upper).min();
        let near_below = below.filter(|visit| amount(*visit) >= amount(lower) * (1.0 - NEAR));
        let near_above = above.filter(|visit| amount(*visit) <= amount(upper + 1) * (1.0 + NEAR));
        (
            near_below.unwrap_or(lower),
            near_above.map_or(upper, |visit| visit - 1),
        )
    }

    /// The chance that the capacity is at least so much, in streams or arrivals per second, for
    /// loads where it is neither certain nor out of the question. Empty until something broke.
    pub fn chances(&self) -> Vec<(f64, f64)> {
        self.edge().map_or_else(Vec::new, |edge| edge.chances())
    }

    fn edge(&self) -> Option<Edge> {
        let (low, high) = self.bracket();
        let high = high?;
        let visits = self.visits();
        let lowest = visits.iter().copied().fold(low.max(1), u32::min);
        let highest = visits.iter().copied().fold(high, u32::max);
        let amount = |rung| self.config.axis.amount(rung);
        let on_axis = self.levels.iter().filter(|level| self.rung(level) > 0);
        let levels: Vec<_> = on_axis.collect();
        edge(
            &levels,
            (amount(lowest) * BELOW).max(amount(1) * LEAST_STREAMS),
            amount(highest) * ABOVE,
        )
    }

    /// The next load at the edge, or that enough is known.
    pub(super) fn visit(&self, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        if self.lacks_saturation() {
            return Ok((0, Purpose::Saturation));
        }
        let edge = self.edge().ok_or(Stop::Closed)?;
        let known = self.known_by(&edge);
        let visits = self.visits();
        let request_time = self.last_request_time();
        let left = self.config.budget.saturating_sub(elapsed);
        let visit_time = self.visit_time(request_time);
        let reserve = self.time_to_confirm(known, request_time);
        let is_enough = self.is_narrow(known) || self.is_undecidable(known);
        let is_closed = is_enough && visits.len() >= FEWEST_VISITS;
        if left >= reserve.unwrap_or_default() + visit_time {
            if let Some(doubtful) = self.to_see_again() {
                return Ok((doubtful, Purpose::Refine));
            }
            if self.falls_back() {
                return Err(Stop::NotMonotone);
            }
            let contested = self.contested(&edge);
            let to_decide = reserve.unwrap_or_default() + self.confirm_time(request_time);
            if let Some(rung) = contested.filter(|_| left >= to_decide) {
                return Ok((rung, Purpose::Refine));
            }
            let next = if is_closed {
                self.unseen_end(known)
            } else {
                Some(self.beside(&edge, &visits))
            };
            if let Some(rung) = next {
                return Ok((rung, Purpose::Refine));
            }
        }
        match reserve {
            Some(_) if left >= visit_time => Ok((known.lower, Purpose::Confirm)),
            _ if is_closed => Err(Stop::Closed),
            _ => Err(Stop::Budget),
        }
    }

    /// Time to keep for the confirming hold; `None` where there is none to come.
    fn time_to_confirm(&self, known: Known, request_time: Duration) -> Option<Duration> {
        let is_confirmed = self
            .levels
            .iter()
            .any(|level| level.purpose == Purpose::Confirm);
        let before = request_time.mul_f64(BEFORE_CONFIRM_REQUEST_TIMES);
        (self.config.confirm && !is_confirmed && known.lower > 0)
            .then(|| self.confirm_time(request_time) + before)
    }

    /// Whether the highest load allowed, at which nothing broke, is still to be held as a cap.
    pub(super) fn is_to_confirm(&self, rung: u32, elapsed: Duration) -> bool {
        let is_confirmed = self.levels.iter().any(|level| {
            level.purpose == Purpose::Confirm && self.rung(level) == rung && !level.says_nothing()
        });
        let left = self.config.budget.saturating_sub(elapsed);
        let visit_time = self.visit_time(self.last_request_time());
        self.config.confirm && !is_confirmed && left >= visit_time
    }

    /// How long the gateway cap is held.
    pub(super) fn confirm_time(&self, request_time: Duration) -> Duration {
        let request_times = match self.config.axis {
            Axis::Streams => CONFIRM_REQUEST_TIMES,
            Axis::Rate => RATE_CONFIRM_REQUEST_TIMES,
        };
        CONFIRM
            .max(request_time.mul_f64(request_times))
            .min(self.config.budget.mul_f64(CONFIRM_SHARE))
    }

    /// How long a rate is held on a visit.
    pub(super) fn rate_visit_time(&self, request_time: Duration) -> Duration {
        let wanted = request_time.mul_f64(RATE_VISIT_REQUEST_TIMES);
        wanted
            .min(self.config.budget / RATE_VISITS)
            .max(request_time.mul_f64(LEAST_RATE_VISIT_REQUEST_TIMES))
    }

    /// A visit with all that comes before its window.
    fn visit_time(&self, request_time: Duration) -> Duration {
        match self.config.axis {
            Axis::Streams => request_time.mul_f64(VISIT_REQUEST_TIMES),
            Axis::Rate => {
                let before = request_time.mul_f64(BEFORE_VISIT_REQUEST_TIMES);
                self.rate_visit_time(request_time) + before
            }
        }
    }

    /// Whether even the lower end is above what minutes can decide.
    fn is_undecidable(&self, known: Known) -> bool {
        known.lower >= self.saturation_rungs().1
    }

    fn is_narrow(&self, known: Known) -> bool {
        let amount = |rung| self.config.axis.amount(rung);
        known.upper - known.lower <= 1 || amount(known.upper) <= amount(known.lower) * NARROW
    }

    /// Rungs of the visits, in the order run.
    fn visits(&self) -> Vec<u32> {
        self.levels
            .iter()
            .filter(|level| level.purpose == Purpose::Refine)
            .map(|level| self.rung(level))
            .filter(|rung| *rung > 0)
            .collect()
    }

    /// An end of the interval, or the first load beyond it, that no level has been near: to speak of
    /// it would be an extrapolation.
    fn unseen_end(&self, known: Known) -> Option<u32> {
        let amount = |rung| self.config.axis.amount(rung);
        let is_seen = |rung: u32| {
            let is_near =
                |visit: &u32| (amount(*visit) - amount(rung)).abs() <= amount(rung) * NEAR;
            self.visits().iter().any(is_near)
        };
        [known.upper + 1, known.lower, known.upper]
            .into_iter()
            .find(|rung| *rung > 0 && *rung <= self.most_to_visit() && !is_seen(*rung))
    }

    /// Whether a level that was held for another search is to this one what a visit of its own would
    /// be: it has come to its visits, and they may lie as far from the likeliest capacity as this.
    pub(super) fn would_visit(&self, level: &LevelSummary) -> bool {
        let (low, Some(high)) = self.bracket() else {
            return false;
        };
        let amount = |rung| self.config.axis.amount(rung);
        let is_near = |known: Known| {
            let off = amount(self.rung(level)) / amount(known.rung);
            known.rung > 0 && off.ln().abs() <= FURTHEST
        };
        !self.is_to_halve(low, high) && self.known().is_some_and(is_near)
    }

    /// The load on that side of the likeliest capacity that has had fewer visits.
    fn beside(&self, edge: &Edge, visits: &[u32]) -> u32 {
        let axis = self.config.axis;
        let middle = self.middle(edge);
        let spread = (edge.quantile(0.84) / edge.quantile(0.16)).ln() / 2.0;
        let reach = (spread * REACH).min(FURTHEST);
        let most = self.most_to_visit();
        let below = axis.at_most(middle * (-reach).exp()).clamp(1, most.max(1));
        let above = axis.at_least(middle * reach.exp()).max(below + 1);
        let lower = visits
            .iter()
            .filter(|rung| axis.amount(**rung) <= middle)
            .count();
        if lower * 2 > visits.len() {
            above.min(most)
        } else {
            below
        }
    }

    /// The likeliest capacity, in the load's unit; just below a load that was decided against.
    fn middle(&self, edge: &Edge) -> f64 {
        let axis = self.config.axis;
        let middle = edge.quantile(0.5);
        match self.lowest_decided_against() {
            Some(broken) if middle >= axis.amount(broken) => {
                (axis.amount(broken.saturating_sub(1)) * axis.amount(broken)).sqrt()
            }
            _ => middle,
        }
    }

    /// A load that one level decided against while all levels together make a higher capacity
    /// likely: it is held until that is decided again.
    fn contested(&self, edge: &Edge) -> Option<u32> {
        let broken = self.lowest_decided_against()?;
        let is_doubtful = edge.quantile(0.5) >= self.config.axis.amount(broken);
        (is_doubtful && self.may_be_seen_again(broken)).then_some(broken)
    }

    /// Whether a visit of this load is to settle such a doubt.
    pub(super) fn is_contested(&self, rung: u32) -> bool {
        self.config.axis == Axis::Streams
            && self.lowest_decided_against() == Some(rung)
            && self.may_be_seen_again(rung)
            && self
                .edge()
                .is_some_and(|edge| self.contested(&edge) == Some(rung))
    }

    /// The highest rung worth a visit: above the saturation rate a rate is unstable without being run.
    fn most_to_visit(&self) -> u32 {
        self.most().min(self.saturation_rungs().0)
    }
}
