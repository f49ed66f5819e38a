//! The curve of a made-up server, and the law against its formula and against another fitter.

use proptest::prelude::*;
use rmpfit::{MPFitter, MPPar, MPResult};

use super::curve::CurvePoint;
use super::*;
use crate::search::tests::level;

/// A curve measured with a thousand completions at each load.
fn curve_of(loads: &[u32], rate: impl Fn(f64) -> f64) -> Vec<CurvePoint> {
    let point = |&streams: &u32| CurvePoint {
        streams,
        request_per_s: rate(f64::from(streams)),
        error_ratio: 0.02,
        request_time_s: Some(f64::from(streams) / rate(f64::from(streams))),
    };
    loads.iter().map(point).collect()
}

const DOUBLING: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

fn law([gamma, alpha, beta]: [f64; 3]) -> impl Fn(f64) -> f64 {
    move |n| gamma * n / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0))
}

/// A server that takes `cap` requests at once and serves each in half a second.
fn capped(cap: f64) -> impl Fn(f64) -> f64 {
    move |n| 2.0 * n.min(cap)
}

fn streams_of(curve: &[CurvePoint], kind: KneeKind) -> Option<u32> {
    let usl = usl::fit(curve);
    knees::knees(curve, usl.as_ref())
        .iter()
        .find(|knee| knee.kind == kind)
        .map(|knee| knee.streams)
}

#[test]
fn the_knees_of_a_cap_are_at_the_cap() {
    let curve = curve_of(&DOUBLING, capped(32.0));
    // 64 per second, each of half a second.
    let service = streams_of(&curve, KneeKind::SaturationTimesService);
    assert_eq!(service, Some(32));
    // 95 % of the way from 32 to 64 per second lies at 90 % of the last doubling: 32·2^-0.1.
    assert_eq!(streams_of(&curve, KneeKind::PeakShare), Some(30));
    assert_eq!(streams_of(&curve, KneeKind::Kneedle), Some(32));
}

#[test]
fn throughput_that_still_grows_has_no_knee() {
    let curve = curve_of(&DOUBLING, capped(1_000.0));
    assert_eq!(knees::knees(&curve, usl::fit(&curve).as_ref()), vec![]);
    assert_eq!(knees::knees(&curve[..1], None), vec![]);
    assert_eq!(knees::knees(&[], None), vec![]);
}

#[test]
fn without_a_level_at_one_stream_its_request_time_is_not_known() {
    let curve = curve_of(&[8, 16, 32, 64, 128], capped(32.0));
    assert_eq!(streams_of(&curve, KneeKind::SaturationTimesService), None);
    assert!(streams_of(&curve, KneeKind::PeakShare).is_some());
}

#[test]
fn the_peak_of_the_law_is_a_knee_only_where_it_was_tested() {
    // √((1 − 0.04)/0.0006) = 40.
    let rate = law([1.0, 0.04, 0.0006]);
    let all = curve_of(&DOUBLING, &rate);
    assert_eq!(streams_of(&all, KneeKind::UslPeak), Some(40));
    let below = curve_of(&DOUBLING[..5], &rate);
    assert_eq!(streams_of(&below, KneeKind::UslPeak), None);
    let peak = usl::fit(&below).unwrap().peak_streams.unwrap();
    assert!((peak - 40.0).abs() < 1e-3, "{peak}");
}

#[test]
fn three_loads_are_too_few_for_the_law() {
    let curve = curve_of(&[1, 2, 4], law([1.0, 0.1, 0.001]));
    assert_eq!(usl::fit(&curve), None);
}

#[test]
fn more_than_linear_growth_keeps_the_bounds() {
    let fit = usl::fit(&curve_of(&DOUBLING, |n| n.powf(1.1))).unwrap();
    assert_eq!((fit.alpha, fit.beta, fit.peak_streams), (0.0, 0.0, None));
}

#[test]
fn residuals_are_in_standard_errors() {
    let mut curve = curve_of(&DOUBLING, law([1.0, 0.05, 0.001]));
    let exact = usl::fit(&curve).unwrap();
    assert!(
        exact
            .residuals
            .iter()
            .all(|one| one.standard_errors.abs() < 1e-6)
    );
    curve[3].request_per_s *= 1.1;
    let fit = usl::fit(&curve).unwrap();
    let off = fit.residuals[3];
    let expected = (off.request_per_s - off.fitted_request_per_s) / (off.request_per_s * 0.02);
    assert!((off.standard_errors - expected).abs() < 1e-12);
    assert!(off.standard_errors > 1.0);
}

/// The same fit by `rmpfit`, a port of MINPACK with bounds; returns its sum of squares.
fn chi2_of_minpack(curve: &[CurvePoint]) -> f64 {
    struct Law<'a>(&'a [CurvePoint], [MPPar; 3]);
    impl MPFitter for Law<'_> {
        fn eval(&mut self, parameters: &[f64], deviates: &mut [f64]) -> MPResult<()> {
            let law = law([parameters[0], parameters[1], parameters[2]]);
            for (deviate, point) in deviates.iter_mut().zip(self.0) {
                let missed = point.request_per_s - law(f64::from(point.streams));
                *deviate = missed / (point.request_per_s * point.error_ratio);
            }
            Ok(())
        }
        fn number_of_points(&self) -> usize {
            self.0.len()
        }
        fn parameters(&self) -> &[MPPar] {
            &self.1
        }
    }
    let bounded = || MPPar {
        limited_low: true,
        limit_low: 0.0,
        ..MPPar::default()
    };
    let mut parameters = [curve[0].request_per_s, 0.02, 1e-4];
    let mut problem = Law(curve, [bounded(), bounded(), bounded()]);
    problem.mpfit(&mut parameters).unwrap().best_norm
}

fn chi2_of(fit: &UslFit) -> f64 {
    fit.residuals
        .iter()
        .map(|one| one.standard_errors.powi(2))
        .sum()
}

proptest! {
    #[test]
    fn the_law_is_found_again(
        gamma in 0.05f64..50.0,
        alpha in 0.0f64..0.5,
        beta in 1e-6f64..0.01,
    ) {
        let fit = usl::fit(&curve_of(&DOUBLING, law([gamma, alpha, beta]))).unwrap();
        prop_assert!((fit.gamma_request_per_s / gamma - 1.0).abs() < 1e-4, "{fit:?}");
        prop_assert!((fit.alpha - alpha).abs() < 1e-4, "{fit:?}");
        prop_assert!((fit.beta - beta).abs() < 1e-5, "{fit:?}");
    }

    #[test]
    fn odd_curves_give_plain_numbers(
        rates in prop::collection::vec(1e-3f64..1e3, 1..DOUBLING.len()),
    ) {
        let mut curve = curve_of(&DOUBLING[..rates.len()], |_| 1.0);
        for (point, rate) in curve.iter_mut().zip(rates) {
            point.request_per_s = rate;
        }
        let usl = usl::fit(&curve);
        if let Some(fit) = &usl {
            prop_assert!(fit.alpha >= 0.0 && fit.beta >= 0.0 && fit.gamma_request_per_s > 0.0);
            prop_assert!(fit.residuals.iter().all(|one| one.standard_errors.is_finite()));
        }
        let last = DOUBLING[curve.len() - 1];
        let knees = knees::knees(&curve, usl.as_ref());
        let of_the_curve = |knee: &Knee| {
            knee.kind == KneeKind::SaturationTimesService || (1..=last).contains(&knee.streams)
        };
        prop_assert!(knees.iter().all(of_the_curve), "{knees:?}");
    }

    #[test]
    fn no_other_fitter_comes_closer(
        gamma in 0.1f64..10.0,
        cap in 4.0f64..200.0,
        noise in prop::collection::vec(-0.1f64..0.1, DOUBLING.len()),
    ) {
        let mut curve = curve_of(&DOUBLING, |n| gamma * n.min(cap));
        for (point, noise) in curve.iter_mut().zip(noise) {
            point.request_per_s *= 1.0 + noise;
        }
        let ours = chi2_of(&usl::fit(&curve).unwrap());
        let theirs = chi2_of_minpack(&curve);
        prop_assert!(ours <= theirs * (1.0 + 1e-6) + 1e-9, "{ours} against {theirs}");
    }
}

fn of_ramp(streams: u32, rate: f64, completed: usize) -> LevelSummary {
    LevelSummary {
        purpose: Purpose::Ramp,
        request_per_s: Some(rate),
        ..level(streams, 0, completed)
    }
}

#[test]
fn growth_has_an_interval_that_narrows_with_requests() {
    // Twice the streams, 1.5 times the throughput; 0.15 + 1.1·0.25 = 0.425.
    let varied = |level| LevelSummary {
        output_tokens_cv_ratio: Some(0.5),
        ..level
    };
    let found = growth(
        &varied(of_ramp(8, 2.0, 425)),
        &varied(of_ramp(16, 3.0, 425)),
    )
    .unwrap();
    assert!((found.per_doubling_ratio - 0.5).abs() < 1e-12);
    let half_width = 1.96 * 0.002f64.sqrt();
    assert!((found.lower_ratio - (1.5 * (-half_width).exp() - 1.0)).abs() < 1e-12);
    assert!((found.upper_ratio - (1.5 * half_width.exp() - 1.0)).abs() < 1e-12);
    let fewer = growth(&of_ramp(8, 2.0, 20), &of_ramp(16, 3.0, 20)).unwrap();
    assert!(fewer.lower_ratio < 0.0 && fewer.upper_ratio > 1.0);
}

#[test]
fn growth_over_four_times_the_streams_counts_as_two_doublings() {
    let found = growth(&of_ramp(5, 1.0, 100), &of_ramp(20, 1.44, 100)).unwrap();
    assert!((found.per_doubling_ratio - 0.2).abs() < 1e-12);
}

#[test]
fn growth_is_of_tokens_where_they_are_known() {
    let with_tokens = |level: LevelSummary, rate| LevelSummary {
        output_tokens_per_s: Some(rate),
        ..level
    };
    let lower = with_tokens(of_ramp(8, 2.0, 100), 200.0);
    let upper = with_tokens(of_ramp(16, 2.0, 100), 300.0);
    assert!((growth(&lower, &upper).unwrap().per_doubling_ratio - 0.5).abs() < 1e-12);
    let unknown = of_ramp(16, 3.0, 100);
    assert!((growth(&lower, &unknown).unwrap().per_doubling_ratio - 0.5).abs() < 1e-12);
    assert_eq!(growth(&upper, &lower), None);
}

#[test]
fn void_levels_and_levels_without_a_request_are_left_out() {
    let void = LevelSummary {
        verdict: LevelVerdict::Void,
        ..of_ramp(4, 100.0, 100)
    };
    let levels = [
        of_ramp(1, 1.0, 100),
        of_ramp(2, 2.0, 100),
        void,
        of_ramp(8, 3.0, 0),
    ];
    let found = scaling(&levels);
    assert_eq!(curve(&levels).len(), 2);
    assert_eq!(found.growth.len(), 1);
    assert_eq!(
        (found.growth[0].from_streams, found.growth[0].to_streams),
        (1, 2)
    );
}

#[test]
fn visits_of_one_load_count_by_their_requests() {
    let levels = [of_ramp(8, 2.0, 100), of_ramp(8, 3.0, 300)];
    let point = curve(&levels)[0];
    assert!((point.request_per_s - 2.75).abs() < 1e-12);
    assert!((point.error_ratio - (0.447f64 / 400.0).sqrt()).abs() < 1e-12);
}
