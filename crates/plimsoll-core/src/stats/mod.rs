//! Statistics: special functions, summaries, and the headroom of a Poisson population.

mod headroom;
mod special;
mod summary;

pub use headroom::{largest_mean_within, poisson_exceeds};
pub use special::{beta_inc, chi2_quantile, ln_beta, student_t_quantile, student_t_upper};
pub use summary::{Summary, mean, quantile, variance};
