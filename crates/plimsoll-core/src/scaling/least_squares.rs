//! Nonlinear least squares for a handful of parameters: Levenberg (1944) and Marquardt (1963).

/// A value to be met, and how much its deviation weighs (the inverse of its variance).
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) weight: f64,
}

/// The parameters found, and the weighted sum of squares that is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit<const P: usize> {
    pub(super) parameters: [f64; P],
    pub(super) chi2: f64,
}

const MOST_STEPS: usize = 500;
const DAMPING: (f64, f64, f64) = (1e-12, 1e-3, 1e12);
/// A step that gains less than this share of the sum of squares is the last one.
const LEAST_GAIN: f64 = 1e-14;

/// Minimises Σ w (y − f(x))² from `start`. `model` gives f and its gradient, or `None` where it is
/// not defined; such steps are not taken. `None` if `start` is such a place.
pub(super) fn levenberg_marquardt<const P: usize>(
    model: impl Fn(&[f64; P], f64) -> Option<(f64, [f64; P])>,
    observations: &[Observation],
    start: [f64; P],
) -> Option<Fit<P>> {
    let mut here = start;
    let mut now = Normal::at(&model, observations, &here)?;
    let mut damping = DAMPING.1;
    for _ in 0..MOST_STEPS {
        let next = now.step(damping).and_then(|step| {
            let there: [f64; P] = std::array::from_fn(|i| here[i] + step[i]);
            Some((there, Normal::at(&model, observations, &there)?))
        });
        match next.filter(|(_, next)| next.chi2 <= now.chi2) {
            Some((there, next)) => {
                let gain = now.chi2 - next.chi2;
                let is_last = gain <= LEAST_GAIN * now.chi2;
                (here, now) = (there, next);
                damping = (damping / 10.0).max(DAMPING.0);
                if is_last {
                    break;
                }
            }
            None if damping >= DAMPING.2 => break,
            None => damping *= 10.0,
        }
    }
    Some(Fit {
        parameters: here,
        chi2: now.chi2,
    })
}

/// The normal equations at one place.
struct Normal<const P: usize> {
    /// `JᵀWJ`.
    matrix: [[f64; P]; P],
    /// `JᵀW(y − f)`.
    vector: [f64; P],
    chi2: f64,
}

impl<const P: usize> Normal<P> {
    fn at(
        model: &impl Fn(&[f64; P], f64) -> Option<(f64, [f64; P])>,
        observations: &[Observation],
        parameters: &[f64; P],
    ) -> Option<Self> {
        let mut normal = Self {
            matrix: [[0.0; P]; P],
            vector: [0.0; P],
            chi2: 0.0,
        };
        for one in observations {
            let (value, gradient) = model(parameters, one.x)?;
            let residual = one.y - value;
            normal.chi2 += one.weight * residual * residual;
            for i in 0..P {
                normal.vector[i] += one.weight * gradient[i] * residual;
                for j in 0..P {
                    normal.matrix[i][j] += one.weight * gradient[i] * gradient[j];
                }
            }
        }
        normal.chi2.is_finite().then_some(normal)
    }

    /// The damped step: the diagonal is enlarged by its own size (Marquardt), so that parameters
    /// of different magnitudes are treated alike.
    fn step(&self, damping: f64) -> Option<[f64; P]> {
        let mut matrix = self.matrix;
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] *= 1.0 + damping;
        }
        solve(matrix, self.vector)
    }
}

/// Solves a linear system by elimination with partial pivoting; `None` if it is singular.
fn solve<const P: usize>(mut matrix: [[f64; P]; P], mut vector: [f64; P]) -> Option<[f64; P]> {
    for column in 0..P {
        let pivot = (column..P).max_by(|a, b| {
            matrix[*a][column]
                .abs()
                .total_cmp(&matrix[*b][column].abs())
        })?;
        matrix.swap(column, pivot);
        vector.swap(column, pivot);
        let (above, known) = (matrix[column], vector[column]);
        if above[column] == 0.0 || !above[column].is_finite() {
            return None;
        }
        for (row, value) in matrix.iter_mut().zip(&mut vector).skip(column + 1) {
            let factor = row[column] / above[column];
            for (entry, above) in row.iter_mut().zip(&above) {
                *entry -= factor * above;
            }
            *value -= factor * known;
        }
    }
    let mut solution = [0.0; P];
    for row in (0..P).rev() {
        let known: f64 = (row + 1..P).map(|k| matrix[row][k] * solution[k]).sum();
        solution[row] = (vector[row] - known) / matrix[row][row];
    }
    solution
        .iter()
        .all(|value| value.is_finite())
        .then_some(solution)
}
