//! Special functions, to about 1e-10: enough for decisions at 2.5 %.

/// ln Γ(x) for x > 0 (Lanczos, g = 7, n = 9; Godfrey's coefficients).
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let base = x + 7.5;
    let series = COEFFICIENTS[1..]
        .iter()
        .zip(1u32..)
        .fold(COEFFICIENTS[0], |sum, (coefficient, i)| {
            sum + coefficient / (x + f64::from(i))
        });
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * base.ln() - base + series.ln()
}

/// ln B(a, b) for a, b > 0.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The regularised incomplete beta function `I_x(a, b)`; a, b > 0, x in 0..=1.
/// Continued fraction by the modified Lentz method (Numerical Recipes §6.4).
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() - ln_beta(a, b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, 1.0 - x) / b
    }
}

#[expect(clippy::many_single_char_names, reason = "the names of the source")]
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for i in 1..500u32 {
        let m = f64::from(i);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            fraction *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-13 {
            break;
        }
    }
    fraction
}

/// P(T > t) for Student's t with `df` degrees of freedom.
pub fn student_t_upper(t: f64, df: f64) -> f64 {
    let tail = 0.5 * beta_inc(df / 2.0, 0.5, df / (df + t * t));
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// P(χ² > x) with `df` degrees of freedom; 0 where it is below 1e-12.
pub fn chi2_upper(x: f64, df: f64) -> f64 {
    // Far out the series would overflow.
    if x > 60.0 + 20.0 * df {
        return 0.0;
    }
    1.0 - gamma_inc(df / 2.0, x / 2.0)
}

/// The regularised lower incomplete gamma function by its series; good for the small arguments of
/// [`chi2_quantile`] and [`chi2_upper`].
fn gamma_inc(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let mut term = 1.0 / a;
    let mut sum = term;
    for i in 1..10_000u32 {
        term *= x / (a + f64::from(i));
        sum += term;
        if term < sum * 1e-15 {
            break;
        }
    }
    sum * (a * x.ln() - x - ln_gamma(a)).exp()
}

/// The quantile of Student's t: t with P(T ≤ t) = `probability`, by bisection; 0 < probability < 1.
pub fn student_t_quantile(probability: f64, df: f64) -> f64 {
    let (mut low, mut high) = (-1e3, 1e3);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if 1.0 - student_t_upper(middle, df) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The quantile of the chi-square distribution: x with P(χ² ≤ x) = `probability`, by bisection.
pub fn chi2_quantile(probability: f64, df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 20.0 * df + 200.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if gamma_inc(df / 2.0, middle / 2.0) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};
    use statrs::function::beta::{beta_reg, ln_beta as reference_ln_beta};

    use super::*;

    #[test]
    fn the_beta_functions_agree_with_a_reference() {
        for a in [0.2, 1.0, 3.7, 50.0, 1_234.5] {
            for b in [0.3, 1.0, 19.0, 400.0] {
                assert!(
                    (ln_beta(a, b) - reference_ln_beta(a, b)).abs() < 1e-8,
                    "ln B({a}, {b})"
                );
                for x in [0.0, 0.01, 0.05, 0.5, 0.95, 1.0] {
                    assert!(
                        (beta_inc(a, b, x) - beta_reg(a, b, x)).abs() < 1e-9,
                        "I_{x}({a}, {b})"
                    );
                }
            }
        }
    }

    #[test]
    fn tails_and_quantiles_agree_with_a_reference() {
        for df in [1.0, 7.0, 19.0, 60.0] {
            let t_law = StudentsT::new(0.0, 1.0, df).unwrap();
            for t in [-3.0, -0.5, 0.0, 1.0, 2.5, 6.0] {
                assert!(
                    (student_t_upper(t, df) - t_law.sf(t)).abs() < 1e-9,
                    "t {t}, df {df}"
                );
            }
            for probability in [0.025, 0.5, 0.95, 0.975] {
                let found = student_t_quantile(probability, df);
                assert!(
                    (t_law.cdf(found) - probability).abs() < 1e-8,
                    "t {probability}, df {df}"
                );
            }
            let chi2 = ChiSquared::new(df).unwrap();
            for x in [0.0, 0.5, 3.84, 20.0, 70.0, 1e6] {
                assert!(
                    (chi2_upper(x, df) - chi2.sf(x)).abs() < 1e-9,
                    "χ² {x}, df {df}"
                );
            }
            for probability in [0.025, 0.1, 0.2, 0.5, 0.9] {
                let found = chi2_quantile(probability, df);
                assert!(
                    (chi2.cdf(found) - probability).abs() < 1e-8,
                    "χ² {probability}, df {df}"
                );
            }
        }
    }
}
