//! Statistics: special functions, summaries, and the headroom of a Poisson population.

mod distribution;
mod drift;
mod headroom;
mod mser;
mod special;
mod summary;

pub use distribution::Distribution;
pub use drift::{Drift, drift};
pub use headroom::{largest_mean_within, poisson_exceeds};
pub use mser::{Start, unlike_start};
pub use special::{
    beta_inc, chi2_quantile, chi2_upper, ln_beta, student_t_quantile, student_t_upper,
};
pub use summary::{Summary, mean, quantile, variance};
