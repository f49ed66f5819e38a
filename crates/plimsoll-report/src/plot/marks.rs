//! The vertical lines (capacity, cap, planned mean, knee or saturation) and where their labels stand.

use super::font::Font;
use super::scale::Scale;
use super::scene::{Anchor, Area, Rgb, Scene, Stroke, colour};
use super::{Marks, drawable, text};
use plimsoll_core::load::LoadUnit;

use crate::lang::Lang;

/// Height of one row of labels above the plot, in pixels.
const ROW_PX: f64 = 21.0;
const EM_PX: f64 = 15.0;
/// From a line to its label.
const GAP_PX: f64 = 5.0;
/// Readers of SVG may set another font: room for one that is wider than ours.
const SLACK: f64 = 1.06;

/// One vertical line with its label.
pub(super) struct Mark {
    x: f64,
    label: String,
    width: f64,
    stroke: Stroke,
    place: Place,
}

/// Row 0 is the lowest; the label stands to the left or to the right of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    row: usize,
    to_the_left: bool,
}

/// All values of `marks` that lie on the axis of loads.
pub(super) fn loads(marks: &Marks) -> impl Iterator<Item = f64> {
    [
        marks.capacity,
        marks.capacity_lower,
        marks.capacity_upper,
        marks.cap,
        marks.planned_mean,
        marks.knee,
        marks.saturation,
    ]
    .into_iter()
    .flatten()
}

/// Returns the lines of `marks` with their labels placed, for a plot between the pixels `sides`.
pub(super) fn place(
    (marks, unit): (&Marks, LoadUnit),
    lang: Lang,
    font: &Font,
    scale: &Scale,
    sides: (f64, f64),
) -> Vec<Mark> {
    let line = |value: Option<f64>, label: String, colour: Rgb, dash| {
        let x = sides.0 + scale.position(value?)? * (sides.1 - sides.0);
        let width = font.width(&label, EM_PX) * SLACK + GAP_PX;
        let stroke = Stroke {
            colour,
            width: 1.6,
            dash,
        };
        Some(Mark {
            x,
            label,
            width,
            stroke,
            place: Place::default(),
        })
    };
    let named = |words: &text::Words, value: Option<f64>| {
        format!(
            "{} {}",
            words.get(lang),
            value.map(plain).unwrap_or_default()
        )
    };
    let cap = named(text::cap(unit), marks.cap);
    let planned = named(text::planned_mean(unit), marks.planned_mean);
    let knee = named(&text::KNEE, marks.knee);
    let saturation = named(&text::SATURATION, marks.saturation);
    let capacity = named(&text::CAPACITY, marks.capacity) + &interval(marks, lang);
    let lines = [
        line(marks.capacity, capacity, colour::CAPACITY, None),
        line(marks.cap, cap, colour::CAP, Some((9.0, 4.0))),
        line(
            marks.planned_mean,
            planned,
            colour::PLANNED,
            Some((5.0, 4.0)),
        ),
        line(marks.knee, knee, colour::KNEE, Some((2.0, 4.0))),
        line(marks.saturation, saturation, colour::KNEE, Some((2.0, 4.0))),
    ];
    let mut lines: Vec<Mark> = lines.into_iter().flatten().collect();
    arrange(&mut lines, sides);
    lines
}

/// The ends of the capacity's interval, if both are known and differ.
pub(super) fn capacity_interval(marks: &Marks) -> Option<(f64, f64)> {
    let (low, high) = marks.capacity_lower.zip(marks.capacity_upper)?;
    let (low, high) = drawable(low).zip(drawable(high))?;
    (low < high).then_some((low, high))
}

fn interval(marks: &Marks, lang: Lang) -> String {
    match (capacity_interval(marks), lang) {
        (None, _) => String::new(),
        (Some((low, high)), Lang::En) => format!(" ({}–{})", plain(low), plain(high)),
        (Some((low, high)), Lang::Zh) => format!("（{}–{}）", plain(low), plain(high)),
    }
}

/// Writes loads or milliseconds with three digits: 0.125, 4.7, 46, 1 000 as `1000`.
pub(super) fn plain(value: f64) -> String {
    let digits = (2 - value.abs().max(1e-6).log10().floor() as i32).clamp(0, 6);
    let text = super::scale::number(value, 10f64.powi(-digits));
    if text.contains('.') {
        let text = text.trim_end_matches('0');
        text.trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Finds the rows and sides with the fewest collisions, then the fewest rows.
///
/// There are at most four marks, for a knee and a saturation are never of one run, so all 8⁴
/// arrangements are tried.
fn arrange(marks: &mut [Mark], room: (f64, f64)) {
    let count = marks.len();
    let choices = 2 * count;
    let total = choices.pow(count as u32);
    let decode = |mut code: usize| -> Vec<Place> {
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            let choice = code % choices;
            places.push(Place {
                row: choice / 2,
                to_the_left: choice.is_multiple_of(2),
            });
            code /= choices;
        }
        places
    };
    let best = (0..total)
        .map(decode)
        .min_by_key(|places| cost(marks, places, room));
    for (mark, place) in marks.iter_mut().zip(best.unwrap_or_default()) {
        mark.place = place;
    }
}

fn cost(marks: &[Mark], places: &[Place], room: (f64, f64)) -> usize {
    let boxes: Vec<Area> = marks
        .iter()
        .zip(places)
        .map(|(m, p)| m.area(*p, 0.0))
        .collect();
    let mut collisions = 0;
    for (i, area) in boxes.iter().enumerate() {
        collisions += usize::from(area.left < room.0 || area.right > room.1);
        for j in (0..marks.len()).filter(|j| *j != i) {
            let line = (marks[j].x, 0.0);
            let crossed = area.is_crossed(line, (marks[j].x, boxes[j].top));
            collisions += usize::from(crossed) + usize::from(j > i && area.overlaps(&boxes[j]));
        }
    }
    let rows = places.iter().map(|p| p.row).max().unwrap_or(0);
    let sum: usize = places.iter().map(|p| p.row).sum();
    let to_the_right = places.iter().filter(|p| !p.to_the_left).count();
    collisions * 10_000 + rows * 100 + sum * 10 + to_the_right
}

impl Mark {
    /// The box of the label when the plot begins at `top`.
    fn area(&self, place: Place, top: f64) -> Area {
        let bottom = top - 4.0 - place.row as f64 * ROW_PX;
        let (left, right) = if place.to_the_left {
            (self.x - self.width, self.x)
        } else {
            (self.x, self.x + self.width)
        };
        Area {
            left,
            top: bottom - ROW_PX,
            right,
            bottom,
        }
    }

    /// Draws the line over the plot and up to its label.
    pub(super) fn draw_line(&self, scene: &mut Scene, frame: &Area) {
        let top = self.area(self.place, frame.top).top + 4.0;
        scene.line(vec![(self.x, frame.bottom), (self.x, top)], self.stroke);
    }

    /// Draws the label above the plot.
    pub(super) fn draw_label(&self, scene: &mut Scene, frame: &Area) {
        let area = self.area(self.place, frame.top);
        let (x, anchor) = if self.place.to_the_left {
            (self.x - GAP_PX, Anchor::End)
        } else {
            (self.x + GAP_PX, Anchor::Start)
        };
        scene.text(
            (x, area.bottom - 5.0),
            &self.label,
            EM_PX,
            self.stroke.colour,
            anchor,
        );
    }

    /// Horizontal position of the line, in pixels.
    pub(super) fn x(&self) -> f64 {
        self.x
    }
}

/// Height that the labels of `marks` take above the plot, in pixels.
pub(super) fn height(marks: &[Mark]) -> f64 {
    marks
        .iter()
        .map(|m| (m.place.row + 1) as f64 * ROW_PX + 4.0)
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(x: f64, width: f64) -> Mark {
        let stroke = Stroke {
            colour: colour::INK,
            width: 1.0,
            dash: None,
        };
        Mark {
            x,
            label: String::new(),
            width,
            stroke,
            place: Place::default(),
        }
    }

    fn collisions(xs: &[(f64, f64)]) -> usize {
        let mut marks: Vec<Mark> = xs.iter().map(|(x, w)| mark(*x, *w)).collect();
        arrange(&mut marks, (0.0, 1200.0));
        let places: Vec<Place> = marks.iter().map(|m| m.place).collect();
        cost(&marks, &places, (0.0, 1200.0)) / 10_000
    }

    #[test]
    fn labels_collide_with_nothing() {
        for xs in [
            [
                (900.0, 130.0),
                (888.0, 110.0),
                (800.0, 110.0),
                (830.0, 50.0),
            ],
            [
                (100.0, 130.0),
                (100.0, 110.0),
                (100.0, 110.0),
                (100.0, 50.0),
            ],
            [
                (1150.0, 130.0),
                (1149.0, 110.0),
                (1148.0, 110.0),
                (1147.0, 50.0),
            ],
            [(90.0, 130.0), (91.0, 110.0), (92.0, 110.0), (93.0, 50.0)],
        ] {
            assert_eq!(collisions(&xs), 0, "{xs:?}");
        }
    }

    #[test]
    fn marks_far_apart_share_one_row() {
        let mut marks = [mark(200.0, 100.0), mark(500.0, 100.0), mark(900.0, 100.0)];
        arrange(&mut marks, (0.0, 1200.0));
        assert!(marks.iter().all(|m| m.place
            == Place {
                row: 0,
                to_the_left: true
            }));
    }
}
