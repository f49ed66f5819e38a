//! How far the stamps of a request can be off by the client's own doing. A stamp is the latest that
//! the event can have been; with its doubt it is an interval, of which both ends can be judged.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{InFlight, RequestRecord};
use crate::time::{Offset, ms};

/// A client that is this late at most is on time: what clocks and system calls cost anyway.
pub const LEAST_DOUBT: Duration = Duration::from_micros(100);

/// How far each stamp can be off; `None` where it is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// By how much the request can have gone out after its stamp of sending.
    pub sent: Option<Duration>,
    /// By how much the first output can have come before its stamp.
    pub first: Option<Duration>,
    /// The same of a later output: the largest of them all.
    pub rest: Option<Duration>,
}

/// Two ends of a value in ms: as it is if every doubt is in favour of the server, and if every
/// doubt is against it. What the stamps say lies between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    /// In favour of the server.
    pub best: f64,
    /// Against it.
    pub worst: f64,
}

impl Doubt {
    /// Keeps a doubt that matters.
    pub fn that_matters(doubt: Duration) -> Option<Duration> {
        (doubt > LEAST_DOUBT).then_some(doubt)
    }

    /// Whether every stamp is exact.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

fn ms_of(doubt: Option<Duration>) -> f64 {
    doubt.map_or(0.0, ms)
}

impl RequestRecord {
    /// How far its start can be off, in ms: by how late it was sent, where its latencies count from
    /// its due time, and by how late it went out.
    fn start_doubt_ms(&self) -> f64 {
        let late = self.lateness_ms().filter(|_| self.is_on_schedule());
        late.unwrap_or(0.0).max(0.0) + ms_of(self.doubt.sent)
    }

    /// Whether a latency of it depends on how late the client was.
    pub fn is_in_doubt(&self) -> bool {
        !self.doubt.is_none() || self.start_doubt_ms() > ms(LEAST_DOUBT)
    }

    /// Both ends of the time to first token.
    pub fn ttft_ends_ms(&self) -> Option<Ends> {
        let worst = self.ttft_ms()?;
        let best = worst - self.start_doubt_ms() - ms_of(self.doubt.first);
        Some(Ends {
            best: best.max(0.0),
            worst,
        })
    }

    /// Both ends of the time to the last output.
    pub fn e2e_ends_ms(&self) -> Option<Ends> {
        let worst = self.e2e_ms()?;
        let last = if self.first() == self.last() {
            self.doubt.first.max(self.doubt.rest)
        } else {
            self.doubt.rest
        };
        let best = worst - self.start_doubt_ms() - ms_of(last);
        Some(Ends {
            best: best.max(0.0),
            worst,
        })
    }

    /// Both ends of the time per output token: a first output that is stamped late makes it too
    /// short, a last one too long.
    pub fn tpot_ends_ms(&self) -> Option<Ends> {
        let stamped = self.tpot_ms()?;
        let gaps = f64::from(self.output_tokens()?.0.saturating_sub(1).max(1));
        Some(Ends {
            best: (stamped - ms_of(self.doubt.rest) / gaps).max(0.0),
            worst: stamped + ms_of(self.doubt.first) / gaps,
        })
    }

    /// Both ends of each gap between output events, with its end; `None` where they were let go.
    /// Events of one read share a stamp: the gap before them is too long by what those between them
    /// are too short.
    pub fn gap_ends_ms(&self) -> Option<impl Iterator<Item = (Offset, Ends)> + '_> {
        let doubt = ms_of(self.doubt.first.max(self.doubt.rest));
        let ends = move |gap: f64| Ends {
            best: (gap - doubt).max(0.0),
            worst: if gap > 0.0 { gap } else { doubt },
        };
        Some(self.gaps()?.map(move |(at, gap)| (at, ends(gap))))
    }
}

impl InFlight {
    /// By how much it can have gone out after the time that its latencies count from.
    pub fn start_doubt(&self) -> Duration {
        let late = self.sent.filter(|_| self.is_on_schedule());
        let late = late.map_or(Duration::ZERO, |sent| sent.since(self.ready));
        late + self.doubt.sent.unwrap_or_default()
    }

    /// Whether its time to first token depends on how late the client was.
    pub fn is_in_doubt(&self) -> bool {
        !self.doubt.is_none() || self.start_doubt() > LEAST_DOUBT
    }
}

#[cfg(test)]
mod tests {
    use super::super::ON_SCHEDULE;
    use super::super::tests::record;
    use super::*;

    const MS_2: Option<Duration> = Some(Duration::from_millis(2));

    fn ends(best: f64, worst: f64) -> Ends {
        Ends { best, worst }
    }

    #[test]
    fn exact_stamps_have_one_end() {
        let one = record(100, &[150, 170, 200]);
        assert!(!one.is_in_doubt());
        assert_eq!(one.ttft_ends_ms(), Some(ends(50.0, 50.0)));
        assert_eq!(one.e2e_ends_ms(), Some(ends(100.0, 100.0)));
        assert_eq!(one.tpot_ends_ms(), Some(ends(25.0, 25.0)));
    }

    #[test]
    fn a_first_output_stamped_late_makes_the_ttft_long_and_the_tpot_short() {
        let mut one = record(100, &[150, 170, 200]);
        one.doubt.first = MS_2;
        assert!(one.is_in_doubt());
        assert_eq!(one.ttft_ends_ms(), Some(ends(48.0, 50.0)));
        assert_eq!(one.e2e_ends_ms(), Some(ends(100.0, 100.0)));
        assert_eq!(one.tpot_ends_ms(), Some(ends(25.0, 26.0)));
    }

    #[test]
    fn a_request_that_went_out_late_waited_less() {
        let mut one = record(100, &[150, 170, 200]);
        one.doubt.sent = MS_2;
        one.doubt.rest = MS_2;
        assert_eq!(one.ttft_ends_ms(), Some(ends(48.0, 50.0)));
        assert_eq!(one.e2e_ends_ms(), Some(ends(96.0, 100.0)));
        assert_eq!(one.tpot_ends_ms(), Some(ends(24.0, 25.0)));
    }

    /// By rate latencies count from the due time: what the client was late is in them.
    #[test]
    fn an_arrival_that_was_sent_late_is_in_doubt_by_that() {
        let mut one = record(100, &[150]);
        one.stream = ON_SCHEDULE;
        (one.due, one.ready) = (
            Offset::from_nanos(90_000_000),
            Offset::from_nanos(93_000_000),
        );
        assert_eq!(one.ttft_ends_ms(), Some(ends(53.0, 60.0)));
    }

    #[test]
    fn a_gap_before_events_of_one_read_may_be_shorter_and_one_within_it_longer() {
        let mut one = record(100, &[150, 170, 170]);
        one.doubt.rest = MS_2;
        let found: Vec<Ends> = one.gap_ends_ms().unwrap().map(|(_, ends)| ends).collect();
        let wanted = [ends(18.0, 20.0), ends(0.0, 2.0)];
        assert_eq!(found, wanted);
    }
}
