//! At the edge: which load to visit next, and when enough is known.
//!
//! Visits alternate between a load just below the likeliest capacity and one just above it, as far
//! apart as it is uncertain: batches of different visits are independent, and a load entered from
//! both sides shows what the server remembers (statistics.md §4.2.3).

use std::time::Duration;

use super::edge::{Edge, edge};
use super::{Search, Stop};
use crate::level::Purpose;

/// Chance left outside the interval on either side: 97 %, for 95 % under what no model has
/// (statistics.md §9.3: design for 97).
const TAIL: f64 = 0.015;
/// Loads are visited at most this far from the likeliest capacity, in ln N.
const FURTHEST: f64 = 0.15;
/// A load counts as seen if one this near has been visited, as a ratio.
const NEAR: f64 = 0.01;
/// The interval is narrow enough at one stream, or at this ratio of its ends: ±5 %.
const NARROW: f64 = 1.1;
/// Visits before the interval is believed.
const FEWEST_VISITS: usize = 4;
/// A visit with all that comes before its window, in request times.
pub(super) const VISIT_REQUEST_TIMES: f64 = 7.0;
/// The hold at the gateway cap (method.md §5.6).
const CONFIRM: Duration = Duration::from_secs(120);
const CONFIRM_REQUEST_TIMES: f64 = 10.0;

/// What is known of the capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    /// The likeliest capacity and its interval, streams; 0 where not even one holds.
    pub(super) streams: u32,
    pub(super) lower: u32,
    pub(super) upper: u32,
    /// d logit p / d ln N above the edge.
    pub(super) steepness: f64,
}

impl Search {
    /// What the levels say of the capacity, once something broke.
    pub(super) fn known(&self) -> Option<Known> {
        self.edge().map(|edge| self.known_by(&edge))
    }

    fn known_by(&self, edge: &Edge) -> Known {
        let (lower, upper) = (
            edge.quantile(crate::tune("TAIL", TAIL)),
            edge.quantile(1.0 - crate::tune("TAIL", TAIL)),
        );
        let streams = (edge.quantile(crate::tune("MEDIAN", 0.5)).floor() as u32)
            .min(self.config.most_streams);
        Known {
            streams,
            lower: (lower.floor() as u32).min(streams),
            upper: (upper.floor() as u32).max(streams),
            steepness: edge.steepness,
        }
    }

    fn edge(&self) -> Option<Edge> {
        let (low, high) = self.bracket();
        let high = high?;
        let visits = self.visits();
        let lowest = visits.iter().copied().fold(low, u32::min);
        let highest = visits.iter().copied().fold(high, u32::max);
        if self
            .levels
            .last()
            .is_some_and(|l| l.purpose == Purpose::Confirm)
            && std::env::var_os("TRACE").is_some()
        {
            super::edge::debug_edge(
                &self.levels,
                (f64::from(lowest) / 3.0).max(0.4),
                f64::from(highest) * 2.2,
            );
        }
        edge(
            &self.levels,
            (f64::from(lowest) / 3.0).max(0.4),
            f64::from(highest) * 2.2,
        )
    }

    /// The next load at the edge, or that enough is known.
    pub(super) fn visit(&self, elapsed: Duration) -> Result<(u32, Purpose), Stop> {
        let edge = self.edge().ok_or(Stop::Closed)?;
        let known = self.known_by(&edge);
        let is_confirmed = self
            .levels
            .iter()
            .any(|level| level.purpose == Purpose::Confirm);
        let visits = self.visits();
        let left = self.config.budget.saturating_sub(elapsed);
        let request_time = self.last_request_time();
        let visit_time = request_time.mul_f64(VISIT_REQUEST_TIMES);
        let narrow = known.upper - known.lower <= 1
            || f64::from(known.upper) <= f64::from(known.lower) * crate::tune("NARROW", NARROW);
        let is_closed = narrow && visits.len() >= crate::tune("FEWEST", 4.0) as usize;
        let reserve = if is_confirmed || !self.config.confirm || known.lower == 0 {
            Duration::ZERO
        } else {
            self.confirm_time(request_time)
        };
        if left >= reserve + visit_time {
            let next = if is_closed {
                self.unseen_end(known)
            } else {
                Some(self.beside(&edge, &visits))
            };
            if let Some(load) = next {
                return Ok((load, Purpose::Refine));
            }
        }
        if !reserve.is_zero() && left >= visit_time {
            return Ok((known.lower, Purpose::Confirm));
        }
        Err(if is_closed {
            Stop::Closed
        } else {
            Stop::Budget
        })
    }

    /// How long the confirming hold takes, with what comes before it.
    pub(super) fn confirm_time(&self, request_time: Duration) -> Duration {
        CONFIRM.max(request_time.mul_f64(CONFIRM_REQUEST_TIMES)) + request_time * 2
    }

    fn visits(&self) -> Vec<u32> {
        self.levels
            .iter()
            .filter(|level| level.purpose == Purpose::Refine)
            .filter_map(|level| level.load.streams())
            .collect()
    }

    /// An end of the interval that no level has been near: it would be an extrapolation.
    fn unseen_end(&self, known: Known) -> Option<u32> {
        let is_seen = |load: u32| {
            let reach = (f64::from(load) * NEAR).floor() as u32;
            self.visits()
                .iter()
                .any(|visit| visit.abs_diff(load) <= reach)
        };
        [known.upper + 1, known.lower]
            .into_iter()
            .find(|load| *load > 0 && *load <= self.config.most_streams && !is_seen(*load))
    }

    /// The load on that side of the likeliest capacity that has had fewer visits.
    fn beside(&self, edge: &Edge, visits: &[u32]) -> u32 {
        let middle = edge.quantile(0.5);
        let spread = (edge.quantile(0.84) / edge.quantile(0.16)).ln() / 2.0;
        let reach = (spread * crate::tune("SPREAD", 1.0)).min(crate::tune("FURTHEST", FURTHEST));
        let below = ((middle * (-reach).exp()).floor() as u32).max(1);
        let above = ((middle * reach.exp()).ceil() as u32).max(below + 1);
        let lower = visits
            .iter()
            .filter(|load| f64::from(**load) <= middle)
            .count();
        if lower * 2 > visits.len() {
            above.min(self.config.most_streams)
        } else {
            below
        }
    }
}
