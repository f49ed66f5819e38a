//! The pictures of a report: the load line, throughput and efficiency, as PNG or SVG.
//!
//! Data goes one way: [`PlotInput`] → `chart` (axes, curves, marks, legend) → `scene` (lines,
//! discs and texts in pixels) → `paint` (one of plotters' backends). Nothing here computes a
//! statistic; a missing value is a gap in a curve, never 0.
//!
//! PNG carries its own font (a subset of Noto Sans SC, see `scripts/make-font.py`); SVG names a
//! generic family and leaves the texts as text.

mod bound;
mod chart;
mod font;
mod legend;
mod marks;
mod paint;
mod png;
mod scale;
mod scene;
mod series;
mod text;

#[cfg(test)]
mod tests;

use plimsoll_core::load::LoadUnit;

use crate::lang::Lang;

/// Width of every picture, in pixels.
pub const WIDTH_PX: u32 = 1200;
/// Height of every picture, in pixels.
pub const HEIGHT_PX: u32 = 700;

/// What a level says of the service objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PointVerdict {
    /// The objective holds.
    Pass,
    /// The objective is broken.
    Fail,
    /// Neither at the stated confidence.
    Undecided,
    /// A ramp level that nothing contradicts yet.
    Screened,
    /// The load was not delivered as asked, so the level says nothing.
    Void,
}

/// One level of a run. A value that is `None`, negative or not finite is drawn as a gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlotPoint {
    /// The load, in the unit of the picture; the point is left out if this is not above 0.
    pub load: f64,
    /// Completed requests per second.
    pub request_per_s: Option<f64>,
    /// Output tokens per second, of all streams together.
    pub output_tokens_per_s: Option<f64>,
    /// Mean time to the first token, in milliseconds.
    pub ttft_mean_ms: Option<f64>,
    /// 95th percentile of the time to the first token, in milliseconds.
    pub ttft_p95_ms: Option<f64>,
    /// What the level says of the objective.
    pub verdict: PointVerdict,
}

/// The values that are drawn as lines across the picture; each is left out when `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Marks {
    /// Estimated capacity. All loads are in the unit of the picture.
    pub capacity: Option<f64>,
    /// Lower end of the capacity's interval.
    pub capacity_lower: Option<f64>,
    /// Upper end of the capacity's interval.
    pub capacity_upper: Option<f64>,
    /// Load beyond which the gateway should queue or shed.
    pub cap: Option<f64>,
    /// Mean load to plan for.
    pub planned_mean: Option<f64>,
    /// Load at which throughput first reaches 95 % of its highest value.
    pub knee: Option<f64>,
    /// By rate: completions per second that the server brings at most.
    pub saturation: Option<f64>,
    /// Bound of the objective on the time to the first token, in milliseconds.
    pub ttft_bound_ms: Option<f64>,
}

/// Everything that a picture shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlotInput {
    /// What the loads count.
    pub unit: LoadUnit,
    /// A line under the title: model, server, objective. Empty for none.
    pub title_note: String,
    /// The levels, in any order.
    pub points: Vec<PlotPoint>,
    /// The lines across the picture.
    pub marks: Marks,
    /// Points of the law fitted to the levels, as load and requests per second, by rising
    /// load. Empty for none.
    pub law: Vec<(f64, f64)>,
}

/// Which picture to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Throughput and time to the first token by load, with the marks.
    LoadLine,
    /// Requests per second with the law fitted to them, and output tokens per second, by
    /// load.
    Throughput,
    /// Requests per second of one stream by concurrent streams.
    Efficiency,
}

/// The file format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// 8-bit RGB, [`WIDTH_PX`] by [`HEIGHT_PX`].
    Png,
    /// UTF-8 text with the same nominal size.
    Svg,
}

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The font that is built in could not be read.
    #[error("the built-in font of the plots cannot be read")]
    Font,
    /// The drawing backend refused an operation.
    #[error("drawing a plot failed: {reason}")]
    Draw {
        /// What the backend said.
        reason: String,
    },
}

/// Returns one picture as the bytes of a file.
///
/// Any input gives a picture: without a usable point it says that there is no data.
///
/// # Errors
///
/// Only when the built-in font or the drawing backend is broken; never because of `input`.
pub fn render(
    figure: Figure,
    input: &PlotInput,
    lang: Lang,
    format: Format,
) -> Result<Vec<u8>, PlotError> {
    let scene = chart::draw(figure, input, lang)?;
    match format {
        Format::Png => paint::png(&scene),
        Format::Svg => paint::svg(&scene),
    }
}

/// Returns `value` if it can be drawn: finite, not negative and of a sane size.
fn drawable(value: f64) -> Option<f64> {
    (value.is_finite() && (0.0..1e15).contains(&value)).then_some(value)
}
