//! The Universal Scalability Law through the levels of a run (Gunther 1993, 2007).
//!
//! X(N) = γN / (1 + α(N−1) + βN(N−1)): γ is the throughput of one stream, α what the streams wait
//! for each other, β what they lose by keeping in step. It serves the picture alone. It has no term
//! for a cap, so on an engine that takes a fixed number of sequences its β, and with it its peak,
//! follow from how far beyond the cap was tested (statistics.md §9.10).

use serde::{Deserialize, Serialize};

use super::curve::CurvePoint;
use super::least_squares::{Fit, Observation, levenberg_marquardt};

/// More loads than parameters.
const LEAST_LOADS: usize = 4;

/// How far the law is off at one load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UslResidual {
    /// Concurrent streams.
    pub streams: u32,
    /// Measured, all visits of the load together.
    pub request_per_s: f64,
    /// What the law says.
    pub fitted_request_per_s: f64,
    /// Measured less fitted, in standard errors of the measured.
    pub standard_errors: f64,
}

/// The law fitted to the levels of a run, for the picture only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UslFit {
    /// γ: throughput of one stream, requests per second.
    pub gamma_request_per_s: f64,
    /// α: contention, 0 or more.
    pub alpha: f64,
    /// β: coherency, 0 or more.
    pub beta: f64,
    /// The load at its peak, √((1−α)/β); `None` where it has none.
    pub peak_streams: Option<f64>,
    /// What it misses at each load.
    pub residuals: Vec<UslResidual>,
}

impl UslFit {
    /// Requests per second at a load.
    pub fn request_per_s(&self, streams: f64) -> f64 {
        let parameters = [self.gamma_request_per_s, self.alpha, self.beta];
        law(&parameters, streams).map_or(0.0, |(rate, _)| rate)
    }
}

/// Fits the law to a curve, weighted by the inverse variances; `None` below four loads.
pub(super) fn fit(curve: &[CurvePoint]) -> Option<UslFit> {
    if curve.len() < LEAST_LOADS {
        return None;
    }
    let observations: Vec<Observation> = curve.iter().map(observation).collect();
    let [gamma, alpha, beta] = best(&observations)?.parameters;
    let peak = ((1.0 - alpha) / beta).sqrt();
    let mut fit = UslFit {
        gamma_request_per_s: gamma,
        alpha,
        beta,
        peak_streams: Some(peak).filter(|peak| peak.is_finite() && *peak >= 1.0),
        residuals: Vec::new(),
    };
    fit.residuals = curve.iter().map(|point| residual(&fit, point)).collect();
    Some(fit)
}

fn observation(point: &CurvePoint) -> Observation {
    let error = point.request_per_s * point.error_ratio;
    Observation {
        x: f64::from(point.streams),
        y: point.request_per_s,
        weight: 1.0 / (error * error),
    }
}

fn residual(fit: &UslFit, point: &CurvePoint) -> UslResidual {
    let fitted = fit.request_per_s(f64::from(point.streams));
    let error = point.request_per_s * point.error_ratio;
    UslResidual {
        streams: point.streams,
        request_per_s: point.request_per_s,
        fitted_request_per_s: fitted,
        standard_errors: (point.request_per_s - fitted) / error,
    }
}

/// The best parameters with α ≥ 0 and β ≥ 0: free, or on one of the bounds. Of these four fits the
/// best one that keeps the bounds is the constrained optimum.
fn best(observations: &[Observation]) -> Option<Fit<3>> {
    let per_stream = |one: &Observation| one.y / one.x;
    let gamma = observations.iter().map(per_stream).fold(0.0, f64::max);
    let most = observations.iter().map(|one| one.x).fold(1.0, f64::max);
    let (alpha, beta) = (1.0 / most, 1.0 / (most * most));

    let free = levenberg_marquardt(law, observations, [gamma, alpha, beta]);
    let no_alpha = levenberg_marquardt(
        |&[gamma, beta], x| law(&[gamma, 0.0, beta], x).map(|(y, [dg, _, db])| (y, [dg, db])),
        observations,
        [gamma, beta],
    );
    let no_beta = levenberg_marquardt(
        |&[gamma, alpha], x| law(&[gamma, alpha, 0.0], x).map(|(y, [dg, da, _])| (y, [dg, da])),
        observations,
        [gamma, alpha],
    );
    let neither = levenberg_marquardt(
        |&[gamma], x| law(&[gamma, 0.0, 0.0], x).map(|(y, [dg, ..])| (y, [dg])),
        observations,
        [gamma],
    );
    let bounded = [
        free,
        no_alpha.map(|fit| within(fit.chi2, [fit.parameters[0], 0.0, fit.parameters[1]])),
        no_beta.map(|fit| within(fit.chi2, [fit.parameters[0], fit.parameters[1], 0.0])),
        neither.map(|fit| within(fit.chi2, [fit.parameters[0], 0.0, 0.0])),
    ];
    bounded
        .into_iter()
        .flatten()
        .filter(|fit| fit.parameters[1] >= 0.0 && fit.parameters[2] >= 0.0)
        .min_by(|a, b| a.chi2.total_cmp(&b.chi2))
}

fn within(chi2: f64, parameters: [f64; 3]) -> Fit<3> {
    Fit { parameters, chi2 }
}

/// The law and its gradient by γ, α, β; `None` where its denominator or γ is not positive.
fn law(&[gamma, alpha, beta]: &[f64; 3], streams: f64) -> Option<(f64, [f64; 3])> {
    let waits = streams - 1.0;
    let keeps_in_step = streams * waits;
    let denominator = 1.0 + alpha * waits + beta * keeps_in_step;
    if denominator <= 0.0 || gamma <= 0.0 {
        return None;
    }
    let rate = gamma * streams / denominator;
    let by = |term: f64| -rate * term / denominator;
    Some((rate, [streams / denominator, by(waits), by(keeps_in_step)]))
}
