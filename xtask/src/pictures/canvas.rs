//! A drawing: shapes and texts in a few colours that are readable on white and on black.

use svg::node::element::{Circle, Line, Polyline, Rectangle, Style, Text, Title};
use svg::{Document, Node};

/// Width of every picture, px.
pub(super) const WIDTH: f64 = 760.0;
/// Height of a line of text, px.
pub(super) const EM: f64 = 13.0;

/// The language of a picture's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lang {
    En,
    Zh,
}

impl Lang {
    pub(super) fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// Colours of middling brightness, for a picture has no background of its own.
pub(super) mod colour {
    pub(crate) const INK: &str = "#757a80";
    pub(crate) const GOOD: &str = "#26839c";
    pub(crate) const BAD: &str = "#cc5145";
    pub(crate) const MARK: &str = "#9164c4";
    pub(crate) const PLAN: &str = "#49873e";
}

/// Which part of a text stands at its position.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A picture under construction; positions in px, y downwards.
pub(super) struct Canvas(Document);

impl Canvas {
    /// An empty picture; `title` is what a screen reader says of it.
    pub(super) fn new(height: f64, title: &str) -> Self {
        let fonts = "text{font-family:system-ui,-apple-system,'Segoe UI','Noto Sans SC',\
                     'PingFang SC','Microsoft YaHei',sans-serif}";
        let document = Document::new()
            .set("viewBox", (0, 0, px(WIDTH), px(height)))
            .set("width", px(WIDTH))
            .set("height", px(height))
            .set("font-size", EM)
            .set("role", "img")
            .add(Title::new(title))
            .add(Style::new(fonts));
        Self(document)
    }

    /// The picture as text.
    pub(super) fn finish(self) -> String {
        format!("{}\n", self.0)
    }

    fn add(&mut self, node: impl Into<Box<dyn Node>>) {
        self.0.append(node);
    }

    pub(super) fn text(&mut self, (x, y): (f64, f64), text: &str, colour: &str, anchor: Anchor) {
        let node = Text::new(text)
            .set("x", px(x))
            .set("y", px(y))
            .set("fill", colour)
            .set("text-anchor", anchor.name());
        self.add(node);
    }

    /// A line; `dash` as SVG writes it, empty for a whole one.
    pub(super) fn line(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        (colour, width, dash): (&str, f64, &str),
    ) {
        let mut node = Line::new()
            .set("x1", px(x1))
            .set("y1", px(y1))
            .set("x2", px(x2))
            .set("y2", px(y2))
            .set("stroke", colour)
            .set("stroke-width", width);
        if !dash.is_empty() {
            node = node.set("stroke-dasharray", dash);
        }
        self.add(node);
    }

    pub(super) fn path(&mut self, points: &[(f64, f64)], colour: &str, width: f64) {
        let node = Polyline::new()
            .set("points", list(points))
            .set("fill", "none")
            .set("stroke", colour)
            .set("stroke-width", width)
            .set("stroke-linejoin", "round");
        self.add(node);
    }

    /// A filled rectangle between two corners.
    pub(super) fn rect(
        &mut self,
        (left, top): (f64, f64),
        (right, bottom): (f64, f64),
        (colour, opacity): (&str, f64),
    ) {
        let node = Rectangle::new()
            .set("x", px(left))
            .set("y", px(top))
            .set("width", px(right - left))
            .set("height", px(bottom - top))
            .set("fill", colour)
            .set("fill-opacity", opacity);
        self.add(node);
    }

    /// A dot, filled or as a ring.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, (colour, filled): (&str, bool)) {
        let node = Circle::new()
            .set("cx", px(x))
            .set("cy", px(y))
            .set("r", radius)
            .set("fill", if filled { colour } else { "none" })
            .set("stroke", colour)
            .set("stroke-width", 1.4);
        self.add(node);
    }
}

/// Tenths of a pixel are enough, and keep the files small.
fn px(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn list(points: &[(f64, f64)]) -> String {
    let points = points.iter().map(|(x, y)| format!("{},{}", px(*x), px(*y)));
    points.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::colour::{BAD, GOOD, INK, MARK, PLAN};

    /// Relative luminance and contrast by WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let part = |from: usize| {
            let value = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn colours_are_readable_on_white_and_on_dark() {
        for colour in [INK, GOOD, BAD, MARK, PLAN] {
            for background in ["#ffffff", "#0d1117"] {
                let found = contrast(colour, background);
                assert!(found >= 4.3, "{colour} on {background}: {found:.2}");
            }
        }
    }
}
