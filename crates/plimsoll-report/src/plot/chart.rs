//! Lays out one picture: title, axes, grid, curves, marks and legend.

use super::font::{self, Font};
use super::legend::{Entry, Legend, Swatch};
use super::marks::{self, Mark};
use super::scale::{Scale, Tick};
use super::scene::{Anchor, Area, At, Rgb, Scene, Stroke, colour};
use super::series::{self, Points, Series, Side, Traced};
use super::{Figure, HEIGHT_PX, PlotError, PlotInput, PointVerdict, WIDTH_PX, bound, text};
use crate::lang::Lang;

/// Left edge of the title, and right edge of all text.
const EDGE_PX: f64 = 28.0;
const TITLE_EM_PX: f64 = 23.0;
const NOTE_EM_PX: f64 = 15.0;
const TICK_EM_PX: f64 = 15.0;
const AXIS_EM_PX: f64 = 16.0;
/// Room beside the plot for tick labels and the title of an axis, and without an axis.
const SIDE_PX: (f64, f64) = (92.0, 40.0);
/// Room below the plot for tick labels and the title of the axis of loads.
const BELOW_PX: f64 = 62.0;

/// A picture under construction.
struct Chart<'a> {
    figure: Figure,
    input: &'a PlotInput,
    lang: Lang,
    font: &'static Font,
    frame: Area,
    x: Scale,
    left: Option<Scale>,
    right: Option<Scale>,
}

/// Lays out `figure`.
pub(super) fn draw(figure: Figure, input: &PlotInput, lang: Lang) -> Result<Scene, PlotError> {
    let font = font::font().ok_or(PlotError::Font)?;
    let mut scene = Scene::default();
    let top = draw_title(&mut scene, font, figure, input, lang);
    let points = series::sorted(&input.points);
    let curves = series::of(figure, input, &points);
    let loads = points
        .iter()
        .map(|p| p.load)
        .chain(marks::loads(&input.marks));
    let (Some(x), false) = (Scale::loads(loads), curves.is_empty()) else {
        draw_no_data(&mut scene, top, lang);
        return Ok(scene);
    };

    let (left, right) = scales(figure, input, &curves);
    let side = |has_axis: bool| if has_axis { SIDE_PX.0 } else { SIDE_PX.1 };
    let sides = (
        side(left.is_some()),
        f64::from(WIDTH_PX) - side(right.is_some()),
    );
    let marks = marks::place((&input.marks, input.unit), lang, font, &x, sides);
    let legend = Legend::new(entries(&curves, input, lang), font);
    let note_height = if figure == Figure::Efficiency {
        28.0
    } else {
        0.0
    };
    let strip = f64::from(HEIGHT_PX) - 12.0 - note_height - legend.height();
    let frame = Area {
        left: sides.0,
        top: top + marks::height(&marks),
        right: sides.1,
        bottom: strip - BELOW_PX,
    };
    let chart = Chart {
        figure,
        input,
        lang,
        font,
        frame,
        x,
        left,
        right,
    };
    chart.draw(&mut scene, &curves, &marks);
    legend.draw(&mut scene, strip);
    if figure == Figure::Efficiency {
        let at = (f64::from(WIDTH_PX) / 2.0, f64::from(HEIGHT_PX) - 18.0);
        let note = text::EFFICIENCY_NOTE.get(lang);
        scene.text(at, note, NOTE_EM_PX, colour::SOFT, Anchor::Middle);
    }
    Ok(scene)
}

/// Draws title and note; returns where the rest of the picture begins.
fn draw_title(
    scene: &mut Scene,
    font: &Font,
    figure: Figure,
    input: &PlotInput,
    lang: Lang,
) -> f64 {
    let title = text::title(figure, input.unit, lang);
    scene.text(
        (EDGE_PX, 38.0),
        &title,
        TITLE_EM_PX,
        colour::INK,
        Anchor::Start,
    );
    let note: String = input
        .title_note
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if note.trim().is_empty() {
        return 56.0;
    }
    let note = font.drawable(note.trim());
    let note = font.fitted(&note, NOTE_EM_PX, f64::from(WIDTH_PX) - 2.0 * EDGE_PX);
    scene.text(
        (EDGE_PX, 63.0),
        &note,
        NOTE_EM_PX,
        colour::SOFT,
        Anchor::Start,
    );
    80.0
}

fn draw_no_data(scene: &mut Scene, top: f64, lang: Lang) {
    let (right, bottom) = (
        f64::from(WIDTH_PX) - EDGE_PX,
        f64::from(HEIGHT_PX) - EDGE_PX,
    );
    outline(
        scene,
        &Area {
            left: EDGE_PX,
            top,
            right,
            bottom,
        },
        colour::GRID,
    );
    let middle = (f64::from(WIDTH_PX) / 2.0, f64::midpoint(top, bottom));
    scene.text(
        middle,
        text::NO_DATA.get(lang),
        TITLE_EM_PX,
        colour::SOFT,
        Anchor::Middle,
    );
}

fn outline(scene: &mut Scene, area: &Area, colour: Rgb) {
    let stroke = Stroke {
        colour,
        width: 1.0,
        dash: None,
    };
    let (l, t, r, b) = (area.left, area.top, area.right, area.bottom);
    scene.line(vec![(l, t), (r, t), (r, b), (l, b), (l, t)], stroke);
}

/// The scales of the left and the right axis, for those that have curves.
fn scales(figure: Figure, input: &PlotInput, curves: &[Series]) -> (Option<Scale>, Option<Scale>) {
    let of = |side: Side| -> Vec<f64> {
        curves
            .iter()
            .filter(|c| c.side == side)
            .flat_map(Series::present)
            .collect()
    };
    let left = Scale::from_zero(of(Side::Left).into_iter());
    let mut values = of(Side::Right);
    if values.is_empty() || figure != Figure::LoadLine {
        return (left, Scale::from_zero(values.into_iter()));
    }
    values.extend(input.marks.ttft_bound_ms);
    (left, Scale::latencies(&values))
}

/// What the legend explains: the curves, the verdicts that occur, the band.
fn entries(curves: &[Series], input: &PlotInput, lang: Lang) -> Vec<Entry> {
    let mut entries: Vec<Entry> = curves
        .iter()
        .map(|c| (Swatch::Line(c.stroke), c.words.get(lang)))
        .collect();
    // The thin curves are drawn first, to lie at the back, but explained last.
    entries.sort_by_key(|e| matches!(e.0, Swatch::Line(stroke) if stroke.width < 2.0));
    let all = [
        PointVerdict::Pass,
        PointVerdict::Fail,
        PointVerdict::Undecided,
        PointVerdict::Screened,
        PointVerdict::Void,
    ];
    let shown = |verdict: &PointVerdict| {
        let mut values = curves
            .iter()
            .filter(|c| c.points == Points::Verdicts)
            .flat_map(|c| &c.values);
        values.any(|(_, value, v)| value.is_some() && v == verdict)
    };
    let verdicts = all.into_iter().filter(shown);
    entries.extend(verdicts.map(|v| (Swatch::Verdict(v), text::verdict(v, lang))));
    if marks::capacity_interval(&input.marks).is_some() {
        entries.push((Swatch::Band(colour::BAND), text::BAND.get(lang)));
    }
    entries
}

impl Chart<'_> {
    fn draw(&self, scene: &mut Scene, curves: &[Series], marks: &[Mark]) {
        self.draw_band(scene);
        self.draw_load_axis(scene);
        self.draw_left_axis(scene);
        self.draw_right_axis(scene);
        outline(scene, &self.frame, colour::AXIS);
        for mark in marks {
            mark.draw_line(scene, &self.frame);
        }
        let traced: Vec<Traced> = curves
            .iter()
            .map(|curve| series::trace(curve, |load, value| self.at(curve.side, load, value)))
            .collect();
        self.draw_bound(scene, &traced, marks);
        for curve in traced {
            curve.draw(scene);
        }
        for mark in marks {
            mark.draw_label(scene, &self.frame);
        }
    }

    fn column(&self, load: f64) -> Option<f64> {
        let share = self.x.position(load)?;
        Some(self.frame.left + share * (self.frame.right - self.frame.left))
    }

    fn row(&self, scale: &Scale, value: f64) -> Option<f64> {
        let share = scale.position(value)?;
        Some(self.frame.bottom - share * (self.frame.bottom - self.frame.top))
    }

    fn at(&self, side: Side, load: f64, value: f64) -> Option<At> {
        let scale = match side {
            Side::Left => self.left.as_ref(),
            Side::Right => self.right.as_ref(),
        };
        Some((self.column(load)?, self.row(scale?, value)?))
    }

    fn draw_band(&self, scene: &mut Scene) {
        let Some((low, high)) = marks::capacity_interval(&self.input.marks) else {
            return;
        };
        let Some((left, right)) = self.column(low).zip(self.column(high)) else {
            return;
        };
        scene.rect(
            Area {
                left,
                right,
                ..self.frame
            },
            colour::BAND,
        );
    }

    fn draw_load_axis(&self, scene: &mut Scene) {
        let y = self.frame.bottom;
        for (value, label) in self.x.ticks() {
            let Some(x) = self.column(value) else {
                continue;
            };
            scene.line(vec![(x, y), (x, self.frame.top)], thin(colour::GRID));
            scene.line(vec![(x, y), (x, y + 5.0)], thin(colour::AXIS));
            scene.text(
                (x, y + 22.0),
                &label,
                TICK_EM_PX,
                colour::INK,
                Anchor::Middle,
            );
        }
        let middle = f64::midpoint(self.frame.left, self.frame.right);
        let title = text::loads_axis(self.input.unit, self.lang);
        scene.text(
            (middle, y + 47.0),
            title,
            AXIS_EM_PX,
            colour::INK,
            Anchor::Middle,
        );
    }

    /// Positions and labels of an axis' ticks.
    fn rows(&self, scale: &Scale) -> Vec<(f64, String)> {
        let place = |(value, label): Tick| Some((self.row(scale, value)?, label));
        scale.ticks().into_iter().filter_map(place).collect()
    }

    fn draw_left_axis(&self, scene: &mut Scene) {
        let Some(scale) = &self.left else { return };
        let x = self.frame.left;
        for (y, label) in self.rows(scale) {
            scene.line(vec![(x, y), (self.frame.right, y)], thin(colour::GRID));
            scene.line(vec![(x - 5.0, y), (x, y)], thin(colour::AXIS));
            scene.text(
                (x - 10.0, y + 5.0),
                &label,
                TICK_EM_PX,
                colour::INK,
                Anchor::End,
            );
        }
        let words = match self.figure {
            Figure::Efficiency => &text::EFFICIENCY_AXIS,
            Figure::LoadLine | Figure::Throughput => &text::REQUESTS_AXIS,
        };
        self.draw_axis_title(scene, 30.0, words, colour::THROUGHPUT);
    }

    fn draw_right_axis(&self, scene: &mut Scene) {
        let Some(scale) = &self.right else { return };
        let x = self.frame.right;
        for (y, label) in self.rows(scale) {
            scene.line(vec![(x, y), (x + 5.0, y)], thin(colour::AXIS));
            scene.text(
                (x + 10.0, y + 5.0),
                &label,
                TICK_EM_PX,
                colour::INK,
                Anchor::Start,
            );
        }
        let (words, colour) = match self.figure {
            Figure::Throughput => (&text::TOKENS_AXIS, colour::TOKENS),
            Figure::LoadLine | Figure::Efficiency => (&text::TTFT_AXIS, colour::TTFT),
        };
        self.draw_axis_title(scene, f64::from(WIDTH_PX) - 18.0, words, colour);
    }

    fn draw_axis_title(&self, scene: &mut Scene, x: f64, words: &text::Words, colour: Rgb) {
        let y = f64::midpoint(self.frame.top, self.frame.bottom);
        scene.upright((x, y), words.get(self.lang), AXIS_EM_PX, colour);
    }

    fn draw_bound(&self, scene: &mut Scene, curves: &[Traced], marks: &[Mark]) {
        if self.figure != Figure::LoadLine {
            return;
        }
        let Some((ms, scale)) = self.input.marks.ttft_bound_ms.zip(self.right) else {
            return;
        };
        let Some(y) = self.row(&scale, ms) else {
            return;
        };
        let (name, unit) = (
            text::TTFT_BOUND.get(self.lang),
            text::MILLISECONDS.get(self.lang),
        );
        let label = format!("{name} {} {unit}", marks::plain(ms));
        let pieces = curves.iter().flat_map(|c| &c.pieces);
        let mut obstacles: Vec<(At, At)> = pieces
            .flat_map(|p| p.windows(2).map(|w| (w[0], w[1])))
            .collect();
        let lines = marks.iter().map(Mark::x);
        obstacles.extend(lines.map(|x| ((x, self.frame.top), (x, self.frame.bottom))));
        bound::draw(scene, self.font, (&self.frame, y), &label, &obstacles);
    }
}

fn thin(colour: Rgb) -> Stroke {
    Stroke {
        colour,
        width: 1.0,
        dash: None,
    }
}
