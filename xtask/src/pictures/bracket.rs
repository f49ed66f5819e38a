//! A search: each level as a piece of time at its number of streams, and the interval of the
//! capacity as it closes.

use plimsoll_core::level::{LevelSummary, LevelVerdict};

use super::canvas::{Anchor, Canvas, EM, Lang, WIDTH, colour};
use super::run::Found;
use super::scale::{Scale, draw_below, draw_left, number, round_ticks};

const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 330.0;

pub(super) fn draw(found: &Found, lang: Lang) -> String {
    let title = lang.pick(
        "A search: the levels tried against time, and the interval that closes around the edge",
        "一次搜索：各档负载随时间的变化，以及逐步收拢的区间",
    );
    let mut canvas = Canvas::new(BOTTOM + 76.0, title);
    let ends = found.levels.iter().map(end_s);
    let x = Scale {
        values: (0.0, ends.fold(0.0, f64::max)),
        pixels: (LEFT, RIGHT),
    };
    let most = found.levels.iter().map(streams).fold(1.0, f64::max);
    let y = Scale {
        values: (0.0, most * 1.12),
        pixels: (BOTTOM, TOP),
    };
    intervals(&mut canvas, &x, &y, found);
    let slo = found.slo.to_string();
    canvas.text((RIGHT, TOP - 14.0), &slo, colour::INK, Anchor::End);
    for level in &found.levels {
        draw_level(&mut canvas, &x, &y, level);
    }
    let ticks = round_ticks(0.0, y.values.1, 8.0);
    let name = lang.pick("streams", "并发路数");
    draw_left(&mut canvas, &y, LEFT, &ticks, name);
    let ticks = round_ticks(0.0, x.values.1, 8.0);
    let name = lang.pick("time under load, s", "加压时间（秒）");
    draw_below(&mut canvas, &x, BOTTOM, &ticks, name);
    legend(&mut canvas, BOTTOM + 64.0, lang);
    canvas.finish()
}

fn streams(level: &LevelSummary) -> f64 {
    level.load.amount()
}

fn end_s(level: &LevelSummary) -> f64 {
    level.started_s + level.duration_s
}

/// The interval of the capacity as known after each level, once something broke.
fn intervals(canvas: &mut Canvas, x: &Scale, y: &Scale, found: &Found) {
    for (at, known) in found.known.iter().enumerate() {
        let Some((low, high)) = known.and_then(|one| Some((one.lower, one.upper?))) else {
            continue;
        };
        let until = found.levels.get(at + 1).map_or(x.values.1, end_s);
        let (left, right) = (x.at(end_s(&found.levels[at])), x.at(until));
        let (top, bottom) = (high.amount() + 0.5, low.amount() - 0.5);
        let top = y.at(top.min(y.values.1));
        canvas.rect(
            (left, top),
            (right, y.at(bottom.max(0.0))),
            (colour::MARK, 0.22),
        );
    }
}

fn draw_level(canvas: &mut Canvas, x: &Scale, y: &Scale, level: &LevelSummary) {
    let height = y.at(streams(level));
    let (left, right) = (x.at(level.started_s), x.at(end_s(level)));
    let colour = shade(level);
    canvas.line((left, height), (right, height), (colour, 3.0, ""));
    let is_decided = matches!(level.verdict, LevelVerdict::Pass | LevelVerdict::Fail);
    canvas.dot((right, height), 3.6, (colour, is_decided));
    let (middle, text) = (f64::midpoint(left, right), number(streams(level)));
    canvas.text((middle, height - 7.0), &text, colour, Anchor::Middle);
}

fn shade(level: &LevelSummary) -> &'static str {
    match level.verdict {
        LevelVerdict::Pass | LevelVerdict::Screened => colour::GOOD,
        LevelVerdict::Fail => colour::BAD,
        LevelVerdict::Undecided | LevelVerdict::Void => colour::INK,
    }
}

fn legend(canvas: &mut Canvas, y: f64, lang: Lang) {
    let middle = y - EM * 0.35;
    let entries = [
        (colour::GOOD, false, lang.pick("screened", "初筛通过"), 96.0),
        (colour::GOOD, true, lang.pick("pass", "达标"), 70.0),
        (colour::BAD, true, lang.pick("fail", "超标"), 66.0),
        (colour::INK, false, lang.pick("undecided", "未定"), 104.0),
    ];
    let mut left = LEFT;
    for (colour, filled, text, width) in entries {
        canvas.dot((left + 6.0, middle), 3.6, (colour, filled));
        canvas.text((left + 16.0, y), text, colour::INK, Anchor::Start);
        left += width;
    }
    canvas.rect(
        (left, middle - 5.0),
        (left + 20.0, middle + 5.0),
        (colour::MARK, 0.22),
    );
    let text = lang.pick("interval of the capacity so far", "截至此时的容量区间");
    canvas.text((left + 27.0, y), text, colour::INK, Anchor::Start);
}
