//! What is drawn, in pixels of the final picture, before any backend is involved.

/// A colour without transparency, red, green and blue.
pub(super) type Rgb = (u8, u8, u8);

/// Colours of the pictures. Meaning never rests on colour alone: shape or dash repeats it.
pub(super) mod colour {
    use super::Rgb;

    pub(crate) const WHITE: Rgb = (255, 255, 255);
    pub(crate) const INK: Rgb = (32, 36, 42);
    pub(crate) const SOFT: Rgb = (98, 106, 116);
    pub(crate) const GRID: Rgb = (229, 232, 236);
    pub(crate) const AXIS: Rgb = (120, 128, 138);
    pub(crate) const THROUGHPUT: Rgb = (24, 95, 165);
    pub(crate) const TOKENS: Rgb = (20, 128, 110);
    pub(crate) const TTFT: Rgb = (186, 104, 6);
    pub(crate) const FAIL: Rgb = (200, 36, 46);
    pub(crate) const VOID: Rgb = (150, 156, 164);
    pub(crate) const CAPACITY: Rgb = (32, 36, 42);
    pub(crate) const BAND: Rgb = (226, 232, 240);
    pub(crate) const CAP: Rgb = (124, 58, 168);
    pub(crate) const PLANNED: Rgb = (30, 122, 60);
    pub(crate) const KNEE: Rgb = (112, 104, 40);
}

/// How a line is broken up, as (drawn, left out) pixels.
pub(super) type Dash = Option<(f64, f64)>;

/// Colour, width in pixels and dash of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) colour: Rgb,
    pub(super) width: f64,
    pub(super) dash: Dash,
}

/// A position in pixels, y downwards.
pub(super) type At = (f64, f64);

/// Which part of a text stands at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Whether a text runs to the right or upwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Level,
    Upwards,
}

/// A text whose baseline passes through `at`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) at: At,
    pub(super) text: String,
    pub(super) em: f64,
    pub(super) colour: Rgb,
    pub(super) anchor: Anchor,
    pub(super) turn: Turn,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Line {
        points: Vec<At>,
        stroke: Stroke,
    },
    Disc {
        centre: At,
        radius: f64,
        colour: Rgb,
    },
    Polygon {
        points: Vec<At>,
        colour: Rgb,
    },
    Rect {
        area: Area,
        colour: Rgb,
    },
    Text(Label),
}

/// Everything to draw, back to front.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) items: Vec<Item>,
}

/// A rectangle in pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// Whether the two rectangles share more than an edge.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether the straight line from `a` to `b` enters the rectangle.
    pub(super) fn is_crossed(&self, a: At, b: At) -> bool {
        // Liang–Barsky: the share of the line that lies inside every one of the four edges.
        let (mut from, mut to) = (0.0_f64, 1.0_f64);
        for (start, step, low, high) in [
            (a.0, b.0 - a.0, self.left, self.right),
            (a.1, b.1 - a.1, self.top, self.bottom),
        ] {
            if step.abs() < 1e-9 {
                if start <= low || start >= high {
                    return false;
                }
                continue;
            }
            let (t0, t1) = ((low - start) / step, (high - start) / step);
            from = from.max(t0.min(t1));
            to = to.min(t0.max(t1));
        }
        from < to
    }
}

impl Scene {
    /// Adds a line through `points`.
    pub(super) fn line(&mut self, points: Vec<At>, stroke: Stroke) {
        self.items.push(Item::Line { points, stroke });
    }

    /// Adds a filled disc.
    pub(super) fn disc(&mut self, centre: At, radius: f64, colour: Rgb) {
        self.items.push(Item::Disc {
            centre,
            radius,
            colour,
        });
    }

    /// Adds a filled rectangle.
    pub(super) fn rect(&mut self, area: Area, colour: Rgb) {
        self.items.push(Item::Rect { area, colour });
    }

    /// Adds a level text.
    pub(super) fn text(&mut self, at: At, text: &str, em: f64, colour: Rgb, anchor: Anchor) {
        let text = text.to_owned();
        self.items.push(Item::Text(Label {
            at,
            text,
            em,
            colour,
            anchor,
            turn: Turn::Level,
        }));
    }

    /// Adds a text that runs upwards, centred on `at`.
    pub(super) fn upright(&mut self, at: At, text: &str, em: f64, colour: Rgb) {
        let (text, anchor, turn) = (text.to_owned(), Anchor::Middle, Turn::Upwards);
        self.items.push(Item::Text(Label {
            at,
            text,
            em,
            colour,
            anchor,
            turn,
        }));
    }
}
