//! Kneedle: finds the knee of a curve (Satopaa, Albrecht, Irwin & Raghavan 2011, "Finding a
//! 'Kneedle' in a Haystack").

/// With fewer points a curve has no shape.
const LEAST_POINTS: usize = 5;
/// How many mean steps the difference curve must fall after its maximum; 1 is the authors' choice
/// for data that are all there.
const SENSITIVITY: f64 = 1.0;

/// The x of the knee of a rising, concave curve given by rising x; `None` if it has none.
///
/// Both axes are scaled to 0..1. The difference y − x has its maximum at the knee, which counts
/// once the difference has fallen below that maximum by the mean step of x. Of several such maxima
/// the greatest is the knee; there is no smoothing, for the points are few.
pub(super) fn kneedle(points: &[(f64, f64)]) -> Option<f64> {
    if points.len() < LEAST_POINTS {
        return None;
    }
    let xs = unit(points.iter().map(|point| point.0))?;
    let ys = unit(points.iter().map(|point| point.1))?;
    let differences: Vec<f64> = xs.iter().zip(&ys).map(|(x, y)| y - x).collect();
    let (at, greatest) = differences
        .iter()
        .copied()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let threshold = greatest - SENSITIVITY / (points.len() - 1) as f64;
    let has_fallen = differences[at..].iter().any(|value| *value < threshold);
    (at > 0 && has_fallen).then(|| points[at].0)
}

/// The values scaled to 0..1; `None` if they do not differ.
fn unit(values: impl Iterator<Item = f64> + Clone) -> Option<Vec<f64>> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let width = high - low;
    (width > 0.0 && width.is_finite()).then(|| values.map(|value| (value - low) / width).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(count: u32, y: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
        (0..count)
            .map(|i| f64::from(i) / f64::from(count - 1))
            .map(|x| (x, y(x)))
            .collect()
    }

    #[test]
    fn the_example_of_the_paper_has_its_knee_at_two_ninths() {
        let knee = kneedle(&curve(10, |x| 5.0 - 1.0 / (x + 0.1))).unwrap();
        assert!((knee - 2.0 / 9.0).abs() < 1e-12, "{knee}");
    }

    #[test]
    fn the_knee_is_where_the_slope_is_that_of_the_chord() {
        // d/dx √x = 1 at 1/4.
        let knee = kneedle(&curve(101, f64::sqrt)).unwrap();
        assert!((knee - 0.25).abs() < 1e-9, "{knee}");
    }

    #[test]
    fn straight_flat_and_convex_curves_have_no_knee() {
        assert_eq!(kneedle(&curve(20, |x| 3.0 * x)), None);
        assert_eq!(kneedle(&curve(20, |_| 1.0)), None);
        assert_eq!(kneedle(&curve(20, |x| x * x)), None);
        assert_eq!(kneedle(&curve(4, f64::sqrt)), None);
    }
}
