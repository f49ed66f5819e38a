//! The horizontal line of the TTFT bound, and a place for its label where it covers no data.

use super::font::Font;
use super::scene::{Anchor, Area, At, Scene, Stroke, colour};

const EM_PX: f64 = 15.0;
const HEIGHT_PX: f64 = 22.0;
/// Room that markers take around a curve.
const MARKER_PX: f64 = 8.0;

/// Draws the bound at height `y`, with `label` where the fewest `obstacles` pass.
pub(super) fn draw(
    scene: &mut Scene,
    font: &Font,
    (frame, y): (&Area, f64),
    label: &str,
    obstacles: &[(At, At)],
) {
    let stroke = Stroke {
        colour: colour::FAIL,
        width: 1.6,
        dash: Some((8.0, 5.0)),
    };
    scene.line(vec![(frame.left, y), (frame.right, y)], stroke);
    let width = font.width(label, EM_PX) * 1.06 + 8.0;
    let area = free_place(frame, y, width, obstacles);
    scene.text(
        (area.left + 4.0, area.bottom - 6.0),
        label,
        EM_PX,
        colour::FAIL,
        Anchor::Start,
    );
}

/// The best of the boxes above and below the line, from the right end to the left.
fn free_place(frame: &Area, y: f64, width: f64, obstacles: &[(At, At)]) -> Area {
    let steps = ((frame.right - frame.left - width - 12.0) / 12.0).clamp(0.0, 200.0) as usize;
    let boxes = (0..=steps).flat_map(|step| {
        let right = frame.right - 6.0 - 12.0 * step as f64;
        let left = right - width;
        [
            (y - HEIGHT_PX - 1.0, y - 1.0),
            (y + 1.0, y + HEIGHT_PX + 1.0),
        ]
        .map(|(top, bottom)| Area {
            left,
            top,
            right,
            bottom,
        })
    });
    let hits = |area: &Area| {
        let wide = Area {
            left: area.left - MARKER_PX,
            top: area.top - MARKER_PX,
            right: area.right + MARKER_PX,
            bottom: area.bottom + MARKER_PX,
        };
        let crossing = obstacles
            .iter()
            .filter(|(a, b)| wide.is_crossed(*a, *b))
            .count();
        crossing + 100 * usize::from(area.top < frame.top || area.bottom > frame.bottom)
    };
    let first = Area {
        left: frame.left,
        top: y - HEIGHT_PX,
        right: frame.left + width,
        bottom: y,
    };
    boxes.min_by_key(hits).unwrap_or(first)
}
