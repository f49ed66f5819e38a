//! Error rates on queues whose truth is known: n servers, arrivals and service times by law. What is
//! expected is the table of statistics.md §8.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};

use super::*;
use crate::outcome::Outcome;
use crate::record::tests::record;
use crate::schedule::open_loop;

/// Servers: requests in service when saturated.
const SERVERS: usize = 32;
/// Mean service time, s.
const SERVICE_S: f64 = 1.0;

/// Runs of each case.
const RUNS: u64 = 100;

/// A queue for a number of places, first come, first served, that begins with the expected number
/// in service.
struct Queue {
    /// Arrival rate over what the servers carry.
    load: f64,
    /// Gamma shape of the gaps.
    burstiness: f64,
    /// Squared coefficient of variation of the service times: 0.45 is the dispersion of the
    /// completions of an engine that is bound by its cache, 0.2 of one bound by its cap.
    service_cv2: f64,
}

impl Queue {
    /// What is seen over `request_times` after one of settling.
    fn run(&self, request_times: f64, seed: u64) -> Stability {
        let rate = self.load * SERVERS as f64 / SERVICE_S;
        let service = Gamma::new(1.0 / self.service_cv2, self.service_cv2 * SERVICE_S).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
        let r = Duration::from_secs_f64(SERVICE_S);
        let from = Duration::from_secs_f64(2.0 * SERVICE_S);
        let until = from + Duration::from_secs_f64(request_times * SERVICE_S);
        let mut free_at: BinaryHeap<Reverse<Offset>> =
            [Reverse(Offset::ZERO); SERVERS].into_iter().collect();
        let mut ended = Vec::new();
        for due in open_loop(rate, r, self.burstiness, seed) {
            if due > until {
                break;
            }
            let due = Offset::from_duration(due);
            let Reverse(free) = free_at.pop().unwrap();
            let done = free.max(due) + Duration::from_secs_f64(service.sample(&mut rng));
            free_at.push(Reverse(done));
            let mut one = record(0, &[]);
            (one.due, one.sent, one.done) = (due, Some(due), done);
            one.outcome = Outcome::Completed;
            ended.push(one);
        }
        assess(&Arrived {
            ended: &ended,
            in_flight: &[],
            from: Offset::from_duration(from),
            to: Offset::from_duration(until),
            request_time: r,
            dispersion: 1.0 / self.burstiness,
        })
        .unwrap()
    }

    /// Share of runs that are called unstable.
    fn unstable(&self, request_times: f64) -> f64 {
        let seen = (0..RUNS)
            .filter(|seed| self.run(request_times, *seed).drift == Drift::Unstable)
            .count();
        seen as f64 / RUNS as f64
    }
}

fn poisson(load: f64) -> Queue {
    Queue {
        load,
        burstiness: 1.0,
        service_cv2: 0.2,
    }
}

fn constant(load: f64) -> Queue {
    Queue {
        burstiness: f64::INFINITY,
        ..poisson(load)
    }
}

#[test]
fn a_rate_above_saturation_is_seen() {
    // The least share that the table has for its two kinds of engine.
    let table: [(Queue, f64, f64); 3] = [
        (poisson(1.10), 50.0, 1.0),
        (poisson(1.05), 100.0, 0.83),
        (constant(1.05), 50.0, 0.96),
    ];
    for (queue, request_times, least) in table {
        let seen = queue.unstable(request_times);
        // Three standard deviations, at a share of 1 those of 0.98.
        let noise = 3.0 * (least * (1.0 - least).max(0.02) / RUNS as f64).sqrt();
        assert!(
            seen >= least - noise,
            "{} in {request_times} R: {seen}",
            queue.load
        );
    }
}

#[test]
fn false_alarms_are_rare_below_saturation() {
    for request_times in [50.0, 100.0] {
        for queue in [poisson(0.9), constant(0.95)] {
            let alarms = queue.unstable(request_times);
            assert!(
                alarms <= 0.04,
                "{} in {request_times} R: {alarms}",
                queue.load
            );
        }
    }
}

#[test]
fn the_bound_of_the_growth_holds_in_95_of_100() {
    for (queue, request_times) in [
        (poisson(1.10), 50.0),
        (poisson(1.05), 100.0),
        (poisson(1.02), 100.0),
        (constant(1.05), 50.0),
    ] {
        let truth = 1.0 - 1.0 / queue.load;
        let covers = |seed: &u64| {
            let bound = queue.run(request_times, *seed).trend.growth_upper_ratio;
            bound.unwrap() >= truth
        };
        let covered = (0..RUNS).filter(covers).count();
        // 95 of 100, less three standard deviations.
        assert!(
            covered >= 89,
            "{} in {request_times} R: {covered}",
            queue.load
        );
    }
}

#[test]
fn the_bound_of_the_growth_gets_narrower_with_the_arrivals() {
    let bound = |request_times| {
        let all = (0..20).map(|seed| poisson(0.8).run(request_times, seed).trend);
        all.filter_map(|trend| trend.growth_upper_ratio)
            .sum::<f64>()
            / 20.0
    };
    // 1.645 · √(0.6 · 1.45 / n) / 0.7 of n arrivals, beside the difference, whose mean is 0.
    for request_times in [50.0, 400.0] {
        let n = 0.8 * 32.0 * request_times;
        let expected = 1.645 * (0.6f64 * 1.45 / n).sqrt() / 0.7;
        let found = bound(request_times);
        assert!(
            (found / expected - 1.0).abs() < 0.2,
            "{found} for {expected}"
        );
    }
}

#[test]
fn what_waits_in_the_client_counts_as_growth_but_is_not_in_flight() {
    let at = |s: u64| Offset::from_nanos(s * 1_000_000_000);
    let waiting = |due: u64| InFlight {
        id: due,
        level: 0,
        stream: crate::record::ON_SCHEDULE,
        due: at(due),
        ready: at(due),
        sent: (due < 2).then(|| at(due)),
        first: None,
        heard: None,
        doubt: crate::record::Doubt::default(),
    };
    let in_flight: Vec<InFlight> = (0..100).map(waiting).collect();
    let seen = assess(&Arrived {
        ended: &[],
        in_flight: &in_flight,
        from: at(0),
        to: at(100),
        request_time: Duration::from_secs(1),
        dispersion: 1.0,
    })
    .unwrap();
    assert_eq!(seen.drift, Drift::Unstable);
    assert_eq!((seen.in_flight.max, seen.waiting.max), (2, 98));
    assert_eq!((seen.arrivals, seen.ended), (100, 0));
}
