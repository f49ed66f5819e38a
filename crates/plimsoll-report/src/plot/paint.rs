//! Paints a scene with plotters' bitmap and SVG backends.
//!
//! The bitmap is drawn three times as large and averaged down: plotters draws wide lines and
//! discs without smoothing, and its coordinates are whole pixels.

use super::font::{self, Font};
use super::scene::{Anchor, At, Item, Label, Rgb, Scene, Stroke, Turn, colour};
use super::{HEIGHT_PX, PlotError, WIDTH_PX, png};
use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
    register_font,
};
use std::sync::OnceLock;

/// How many pixels of the drawn bitmap make one of the picture, in each direction.
const OVERSAMPLING: u32 = 3;

/// plotters' SVG backend divides the size of a font by this to get the em.
const SVG_SIZE_PER_EM: f64 = 1.24;

/// From the baseline to the middle of a small letter, in parts of the em; SVG texts are placed
/// by that middle.
const HALF_X_HEIGHT: f64 = 0.27;

/// Returns `scene` as an SVG document.
pub(super) fn svg(scene: &Scene) -> Result<Vec<u8>, PlotError> {
    let mut document = String::new();
    let mut painter = Painter {
        backend: SVGBackend::with_string(&mut document, (WIDTH_PX, HEIGHT_PX)),
        zoom: 1,
    };
    painter.paint(scene, svg_text)?;
    drop(painter);
    Ok(document.into_bytes())
}

/// Returns `scene` as a PNG file.
pub(super) fn png(scene: &Scene) -> Result<Vec<u8>, PlotError> {
    register()?;
    let font = font::font().ok_or(PlotError::Font)?;
    let size = (WIDTH_PX * OVERSAMPLING, HEIGHT_PX * OVERSAMPLING);
    let mut pixels = vec![255; size.0 as usize * size.1 as usize * 3];
    let mut painter = Painter {
        backend: BitMapBackend::with_buffer(&mut pixels, size),
        zoom: OVERSAMPLING,
    };
    painter.paint(scene, |painter, label| bitmap_text(painter, font, label))?;
    drop(painter);
    png::encode(WIDTH_PX, &averaged(&pixels))
}

fn register() -> Result<(), PlotError> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let done = REGISTERED
        .get_or_init(|| register_font("sans-serif", FontStyle::Normal, font::BYTES).is_ok());
    done.then_some(()).ok_or(PlotError::Font)
}

/// Averages squares of `OVERSAMPLING` by `OVERSAMPLING` pixels.
fn averaged(pixels: &[u8]) -> Vec<u8> {
    let n = OVERSAMPLING as usize;
    let row = WIDTH_PX as usize * 3;
    let mut out = Vec::with_capacity(row * HEIGHT_PX as usize);
    for band in pixels.chunks_exact(row * n * n) {
        let mut sums = vec![0_u32; row];
        for line in band.chunks_exact(row * n) {
            for (at, value) in line.iter().enumerate() {
                sums[at / (3 * n) * 3 + at % 3] += u32::from(*value);
            }
        }
        let area = OVERSAMPLING * OVERSAMPLING;
        out.extend(sums.iter().map(|s| ((s + area / 2) / area) as u8));
    }
    out
}

/// A backend and how many of its pixels make one of the scene.
struct Painter<B> {
    backend: B,
    zoom: u32,
}

impl<B: DrawingBackend> Painter<B> {
    fn paint(
        &mut self,
        scene: &Scene,
        text: impl Fn(&mut Self, &Label) -> Result<(), PlotError>,
    ) -> Result<(), PlotError> {
        let size = self.backend.get_size();
        let all = (size.0.cast_signed(), size.1.cast_signed());
        self.backend
            .draw_rect((0, 0), all, &fill(colour::WHITE), true)
            .map_err(failed)?;
        for item in &scene.items {
            match item {
                Item::Line { points, stroke } => self.line(points, *stroke)?,
                Item::Disc {
                    centre,
                    radius,
                    colour,
                } => {
                    let radius = (radius * f64::from(self.zoom)).round().max(1.0) as u32;
                    let at = self.pixel(*centre);
                    self.backend
                        .draw_circle(at, radius, &fill(*colour), true)
                        .map_err(failed)?;
                }
                Item::Polygon { points, colour } => {
                    let points: Vec<_> = points.iter().map(|p| self.pixel(*p)).collect();
                    self.backend
                        .fill_polygon(points, &fill(*colour))
                        .map_err(failed)?;
                }
                Item::Rect { area, colour } => {
                    let from = self.pixel((area.left, area.top));
                    let to = self.pixel((area.right, area.bottom));
                    self.backend
                        .draw_rect(from, to, &fill(*colour), true)
                        .map_err(failed)?;
                }
                Item::Text(label) => text(self, label)?,
            }
        }
        self.backend.present().map_err(failed)
    }

    fn pixel(&self, at: At) -> (i32, i32) {
        let zoom = f64::from(self.zoom);
        ((at.0 * zoom).round() as i32, (at.1 * zoom).round() as i32)
    }

    fn line(&mut self, points: &[At], stroke: Stroke) -> Result<(), PlotError> {
        let width = (stroke.width * f64::from(self.zoom)).round().max(1.0) as u32;
        let style = ShapeStyle {
            stroke_width: width,
            ..fill(stroke.colour)
        };
        let pieces = match stroke.dash {
            Some(dash) => dashes(points, dash),
            None if self.zoom == 1 => vec![points.to_vec()],
            // plotters' joints of wide lines have spikes at sharp turns: piece by piece.
            None => points.windows(2).map(<[At]>::to_vec).collect(),
        };
        for piece in pieces {
            let piece: Vec<_> = piece.iter().map(|p| self.pixel(*p)).collect();
            if piece.windows(2).any(|w| w[0] != w[1]) {
                self.backend.draw_path(piece, &style).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Cuts the line through `points` into its dashes.
fn dashes(points: &[At], (on, off): (f64, f64)) -> Vec<Vec<At>> {
    let mut pieces = Vec::new();
    let mut phase = 0.0;
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let on_the_way = |s: f64| {
            let t = (s / length).clamp(0.0, 1.0);
            (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
        };
        let mut start = -phase;
        while start < length {
            if start + on > 0.0 {
                pieces.push(vec![on_the_way(start), on_the_way(start + on)]);
            }
            start += on + off;
        }
        phase = length - (start - on - off);
    }
    pieces
}

fn fill(colour: Rgb) -> ShapeStyle {
    ShapeStyle {
        color: rgb(colour).to_rgba(),
        filled: true,
        stroke_width: 1,
    }
}

fn rgb((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Draw {
        reason: error.to_string(),
    }
}

fn style(size: f64, label: &Label, pos: Pos) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::SansSerif, size, FontStyle::Normal);
    let turn = match label.turn {
        Turn::Level => FontTransform::None,
        Turn::Upwards => FontTransform::Rotate270,
    };
    let color = rgb(label.colour).to_backend_color();
    TextStyle {
        color,
        ..TextStyle::from(font.transform(turn)).pos(pos)
    }
}

fn svg_text(painter: &mut Painter<SVGBackend>, label: &Label) -> Result<(), PlotError> {
    let horizontal = match label.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = style(
        label.em * SVG_SIZE_PER_EM,
        label,
        Pos::new(horizontal, VPos::Center),
    );
    let rise = HALF_X_HEIGHT * label.em;
    let at = match label.turn {
        Turn::Level => (label.at.0, label.at.1 - rise),
        Turn::Upwards => (label.at.0 - rise, label.at.1),
    };
    let at = painter.pixel(at);
    painter
        .backend
        .draw_text(&label.text, &style, at)
        .map_err(failed)
}

/// Sets a text character by character, with the font's own advances and side bearings.
fn bitmap_text(
    painter: &mut Painter<BitMapBackend>,
    font: &Font,
    label: &Label,
) -> Result<(), PlotError> {
    let zoom = f64::from(painter.zoom);
    let em = label.em * zoom;
    let size = em * font.line_height();
    let style = style(size, label, Pos::new(HPos::Left, VPos::Top));
    let share = match label.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    };
    let mut pen = -share * font.width(&label.text, em);
    let (x, y) = (label.at.0 * zoom, label.at.1 * zoom);
    // `ab_glyph` in plotters puts the baseline half the size below the position.
    let drop = size / 2.0;
    let mut buffer = [0; 4];
    for character in label.text.chars() {
        let glyph = font.glyph(character);
        let along = pen + glyph.left * em;
        let at = match label.turn {
            Turn::Level => (x + along, y - drop),
            Turn::Upwards => (x - drop, y - along),
        };
        let at = (at.0.round() as i32, at.1.round() as i32);
        let text: &str = character.encode_utf8(&mut buffer);
        painter
            .backend
            .draw_text(text, &style, at)
            .map_err(failed)?;
        pen += glyph.advance * em;
    }
    Ok(())
}
