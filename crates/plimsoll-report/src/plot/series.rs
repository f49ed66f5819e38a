//! Curves: which values a figure shows, and how they become lines and markers.

use super::scene::{At, Item, Rgb, Scene, Stroke, colour};
use super::text::{self, Words};
use super::{Figure, PlotInput, PlotPoint, PointVerdict, drawable};

/// Which axis a curve belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// What stands at the values of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Points {
    /// Markers that show the verdict of their level.
    Verdicts,
    /// Small dots that only show where they are.
    Dots,
    /// Nothing: the curve is no measurement.
    Bare,
}

/// A curve before it has a place.
pub(super) struct Series {
    pub(super) side: Side,
    pub(super) words: &'static Words,
    pub(super) stroke: Stroke,
    pub(super) points: Points,
    /// By rising load: load, value, verdict.
    pub(super) values: Vec<(f64, Option<f64>, PointVerdict)>,
}

impl Series {
    fn new(
        points: &[PlotPoint],
        (side, words, colour): (Side, &'static Words, Rgb),
        value: impl Fn(&PlotPoint) -> Option<f64>,
    ) -> Self {
        let values = points
            .iter()
            .map(|p| (p.load, value(p).and_then(drawable), p.verdict))
            .collect();
        let stroke = Stroke {
            colour,
            width: 2.4,
            dash: None,
        };
        Self {
            side,
            words,
            stroke,
            points: Points::Verdicts,
            values,
        }
    }

    /// The same curve as a thin line with small dots.
    fn thin(mut self) -> Self {
        self.stroke.width = 1.2;
        self.points = Points::Dots;
        self
    }

    /// The law through the measurements, as `value` of streams and requests per second.
    fn law(points: &[(f64, f64)], value: impl Fn(f64, f64) -> f64) -> Self {
        let values = points
            .iter()
            .map(|&(streams, rate)| (streams, drawable(value(streams, rate)), PointVerdict::Pass));
        Self {
            side: Side::Left,
            words: &text::LAW,
            stroke: Stroke {
                colour: colour::SOFT,
                width: 1.6,
                dash: Some((7.0, 5.0)),
            },
            points: Points::Bare,
            values: values.collect(),
        }
    }

    /// The values that exist.
    pub(super) fn present(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().filter_map(|(_, value, _)| *value)
    }
}

/// Returns the points that have a place on the axis of loads, by rising load.
pub(super) fn sorted(points: &[PlotPoint]) -> Vec<PlotPoint> {
    let placed = |p: &&PlotPoint| drawable(p.load).is_some_and(|load| load > 0.0);
    let mut points: Vec<PlotPoint> = points.iter().filter(placed).copied().collect();
    points.sort_by(|a, b| a.load.total_cmp(&b.load));
    points
}

/// The curves of `figure` that have at least one value.
pub(super) fn of(figure: Figure, input: &PlotInput, points: &[PlotPoint]) -> Vec<Series> {
    let requests = (Side::Left, &text::REQUESTS, colour::THROUGHPUT);
    let mut all = match figure {
        Figure::LoadLine => vec![
            Series::new(points, (Side::Right, &text::TTFT_MEAN, colour::TTFT), |p| {
                p.ttft_mean_ms
            })
            .thin(),
            Series::new(points, requests, |p| p.request_per_s),
            Series::new(points, (Side::Right, &text::TTFT_P95, colour::TTFT), |p| {
                p.ttft_p95_ms
            }),
        ],
        Figure::Throughput => vec![
            Series::new(points, (Side::Right, &text::TOKENS, colour::TOKENS), |p| {
                p.output_tokens_per_s
            })
            .thin(),
            Series::law(&input.law, |_, rate| rate),
            Series::new(points, requests, |p| p.request_per_s),
        ],
        Figure::Efficiency => vec![
            Series::law(&input.law, |streams, rate| rate / streams),
            Series::new(
                points,
                (Side::Left, &text::EFFICIENCY, colour::THROUGHPUT),
                |p| p.request_per_s.map(|x| x / p.load),
            ),
        ],
    };
    all.retain(|series| series.present().next().is_some());
    let is_measured = all.iter().any(|series| series.points != Points::Bare);
    all.retain(|_| is_measured);
    all
}

/// A curve in pixels: its unbroken pieces, and a marker for each of its values.
pub(super) struct Traced {
    pub(super) pieces: Vec<Vec<At>>,
    markers: Vec<(At, PointVerdict)>,
    stroke: Stroke,
    points: Points,
}

/// Places a curve. A missing value breaks it; a void level gets a marker but is passed by.
pub(super) fn trace(series: &Series, place: impl Fn(f64, f64) -> Option<At>) -> Traced {
    let mut pieces = vec![Vec::new()];
    let mut markers = Vec::new();
    for (streams, value, verdict) in &series.values {
        let Some(at) = value.and_then(|v| place(*streams, v)) else {
            if *verdict != PointVerdict::Void {
                pieces.push(Vec::new());
            }
            continue;
        };
        markers.push((at, *verdict));
        if let (Some(piece), false) = (pieces.last_mut(), *verdict == PointVerdict::Void) {
            piece.push(at);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    Traced {
        pieces,
        markers,
        stroke: series.stroke,
        points: series.points,
    }
}

impl Traced {
    /// Draws the curve, then its markers on top.
    pub(super) fn draw(self, scene: &mut Scene) {
        for piece in self.pieces {
            if piece.len() > 1 {
                scene.line(piece, self.stroke);
            }
        }
        for (at, verdict) in self.markers {
            match (self.points, verdict) {
                (Points::Bare, _) => {}
                (Points::Verdicts, _) => marker(scene, at, verdict, self.stroke.colour),
                (Points::Dots, PointVerdict::Void) => scene.disc(at, 2.4, colour::VOID),
                (Points::Dots, _) => scene.disc(at, 2.4, self.stroke.colour),
            }
        }
    }
}

/// Draws the marker of a level: the shape tells the verdict, the colour the curve.
pub(super) fn marker(scene: &mut Scene, at: At, verdict: PointVerdict, own: Rgb) {
    match verdict {
        PointVerdict::Pass => {
            scene.disc(at, 6.0, colour::WHITE);
            scene.disc(at, 5.0, own);
        }
        PointVerdict::Fail => {
            scene.disc(at, 6.0, colour::FAIL);
            scene.disc(at, 4.0, colour::WHITE);
            // Both curves have red rings: the dot says whose it is.
            scene.disc(at, 1.7, own);
        }
        PointVerdict::Undecided => {
            diamond(scene, at, 7.5, own);
            diamond(scene, at, 4.3, colour::WHITE);
        }
        PointVerdict::Screened => {
            scene.disc(at, 4.0, colour::WHITE);
            scene.disc(at, 3.0, own);
        }
        PointVerdict::Void => {
            let stroke = Stroke {
                colour: colour::VOID,
                width: 2.4,
                dash: None,
            };
            let ((x, y), r) = (at, 5.0);
            scene.line(vec![(x - r, y - r), (x + r, y + r)], stroke);
            scene.line(vec![(x - r, y + r), (x + r, y - r)], stroke);
        }
    }
}

fn diamond(scene: &mut Scene, (x, y): At, r: f64, colour: Rgb) {
    let points = vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
    scene.items.push(Item::Polygon { points, colour });
}
