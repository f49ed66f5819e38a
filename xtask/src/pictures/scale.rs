//! An axis: from values to pixels, and its ticks.

use super::canvas::{Anchor, Canvas, colour};

/// A linear axis between two pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) values: (f64, f64),
    pub(super) pixels: (f64, f64),
}

impl Scale {
    /// Where a value lies, px.
    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.values;
        let share = (value - low) / (high - low);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }
}

/// Draws a horizontal axis at height `y` with a tick at each value and the axis' name.
pub(super) fn draw_below(canvas: &mut Canvas, scale: &Scale, y: f64, ticks: &[f64], name: &str) {
    let (left, right) = scale.pixels;
    canvas.line((left, y), (right, y), (colour::INK, 1.0, ""));
    for &value in ticks {
        let x = scale.at(value);
        canvas.line((x, y), (x, y + 5.0), (colour::INK, 1.0, ""));
        canvas.text((x, y + 19.0), &number(value), colour::INK, Anchor::Middle);
    }
    let middle = f64::midpoint(left, right);
    canvas.text((middle, y + 38.0), name, colour::INK, Anchor::Middle);
}

/// Draws a vertical axis at `x` with a tick and its label at each value, and the axis' name above.
pub(super) fn draw_left(canvas: &mut Canvas, scale: &Scale, x: f64, ticks: &[f64], name: &str) {
    let (bottom, top) = scale.pixels;
    canvas.line((x, bottom), (x, top), (colour::INK, 1.0, ""));
    for &value in ticks {
        let y = scale.at(value);
        canvas.line((x - 5.0, y), (x, y), (colour::INK, 1.0, ""));
        canvas.text((x - 9.0, y + 4.5), &number(value), colour::INK, Anchor::End);
    }
    canvas.text((x - 40.0, top - 14.0), name, colour::INK, Anchor::Start);
}

/// As short as it gets: whole numbers without a decimal.
pub(super) fn number(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

/// Round values between the ends of a linear scale, about `count` of them.
pub(super) fn round_ticks(low: f64, high: f64, count: f64) -> Vec<f64> {
    let raw = (high - low) / count;
    let power = 10f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|one| one * power);
    let step = steps.into_iter().find(|step| *step >= raw).unwrap_or(raw);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            round_ticks(0.0, 100.0, 5.0),
            [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
        );
        assert_eq!(round_ticks(3.0, 4.9, 4.0), [3.0, 3.5, 4.0, 4.5]);
    }
}
