//! The legend: a centred strip below the plot, in as many rows as it needs.

use super::font::Font;
use super::scene::{Anchor, Area, At, Rgb, Scene, Stroke, colour};
use super::{PointVerdict, WIDTH_PX, series};

const EM_PX: f64 = 15.0;
const ROW_PX: f64 = 26.0;
const SWATCH_PX: f64 = 30.0;
/// From a swatch to its text, and from an entry to the next.
const GAPS_PX: (f64, f64) = (7.0, 22.0);
/// Readers of SVG may set another font: room for one that is wider than ours.
const SLACK: f64 = 1.06;

/// The sample of what an entry explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Swatch {
    Line(Stroke),
    Verdict(PointVerdict),
    Band(Rgb),
}

/// Sample and text.
pub(super) type Entry = (Swatch, &'static str);

/// A legend broken into rows, each with its width.
pub(super) struct Legend {
    rows: Vec<(f64, Vec<(f64, Entry)>)>,
}

impl Legend {
    /// Breaks `entries` into rows that fit the picture.
    pub(super) fn new(entries: Vec<Entry>, font: &Font) -> Self {
        let room = f64::from(WIDTH_PX) - 40.0;
        let mut rows: Vec<(f64, Vec<(f64, Entry)>)> = Vec::new();
        for entry in entries {
            let width = swatch_width(entry.0) + GAPS_PX.0 + font.width(entry.1, EM_PX) * SLACK;
            match rows.last_mut() {
                Some((used, row)) if *used + GAPS_PX.1 + width <= room => {
                    row.push((*used + GAPS_PX.1, entry));
                    *used += GAPS_PX.1 + width;
                }
                _ => rows.push((width, vec![(0.0, entry)])),
            }
        }
        Self { rows }
    }

    /// Height of the strip, in pixels.
    pub(super) fn height(&self) -> f64 {
        self.rows.len() as f64 * ROW_PX
    }

    /// Draws the strip below `top`.
    pub(super) fn draw(&self, scene: &mut Scene, top: f64) {
        for (number, (width, row)) in self.rows.iter().enumerate() {
            let left = (f64::from(WIDTH_PX) - width) / 2.0;
            let middle = top + (number as f64 + 0.5) * ROW_PX;
            for (offset, (swatch, text)) in row {
                draw_swatch(scene, (left + offset, middle), *swatch);
                let x = left + offset + swatch_width(*swatch) + GAPS_PX.0;
                scene.text((x, middle + 5.0), text, EM_PX, colour::INK, Anchor::Start);
            }
        }
    }
}

fn swatch_width(swatch: Swatch) -> f64 {
    if matches!(swatch, Swatch::Verdict(_)) {
        14.0
    } else {
        SWATCH_PX
    }
}

fn draw_swatch(scene: &mut Scene, (x, y): At, swatch: Swatch) {
    match swatch {
        Swatch::Line(stroke) => scene.line(vec![(x, y), (x + SWATCH_PX, y)], stroke),
        Swatch::Verdict(verdict) => series::marker(scene, (x + 7.0, y), verdict, colour::SOFT),
        Swatch::Band(colour) => {
            let area = Area {
                left: x,
                top: y - 8.0,
                right: x + SWATCH_PX,
                bottom: y + 8.0,
            };
            scene.rect(area, colour);
        }
    }
}
