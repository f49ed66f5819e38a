//! The interval: the chance that the capacity is at least so many streams, and its two ends.

use anyhow::{Context, Result};
use plimsoll_core::judge::Confidence;
use plimsoll_core::level::LevelSummary;
use plimsoll_core::search::tail;

use super::canvas::{Anchor, Canvas, EM, Lang, WIDTH, colour};
use super::run::Found;
use super::scale::{Scale, draw_below, draw_left, round_ticks};

const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 260.0;
/// Shown on both sides of the interval, in widths of it, and at least so many streams.
const AROUND: (f64, f64) = (1.2, 5.0);

pub(super) fn draw(found: &Found, lang: Lang) -> Result<String> {
    let capacity = found.verdict.capacity.context("there is no capacity")?;
    let upper = capacity.upper.context("nothing broke")?;
    let title = lang.pick(
        "The interval: the chance that the capacity is at least so many streams",
        "区间：容量不低于某个路数的概率",
    );
    let mut canvas = Canvas::new(BOTTOM + 84.0, title);
    let ends = (capacity.lower.amount(), upper.amount());
    let around = (AROUND.0 * (ends.1 - ends.0)).max(AROUND.1);
    let (low, high) = (ends.0 - around, ends.1 + around);
    let x = Scale {
        values: (low.max(0.0).floor(), high.ceil()),
        pixels: (LEFT, RIGHT),
    };
    let y = Scale {
        values: (0.0, 100.0),
        pixels: (BOTTOM, TOP),
    };
    let slo = found.slo.to_string();
    canvas.text((RIGHT, TOP - 14.0), &slo, colour::INK, Anchor::End);
    draw_interval(&mut canvas, &x, ends, lang);
    for percent in [percent_outside(), 100.0 - percent_outside()] {
        let height = y.at(percent);
        canvas.line((LEFT, height), (RIGHT, height), (colour::BAD, 1.4, "6 4"));
    }
    draw_chances(&mut canvas, &x, &y, &found.chances);
    for level in &found.levels {
        draw_load(&mut canvas, &x, level);
    }
    let name = lang.pick("chance, %", "概率（%）");
    draw_left(&mut canvas, &y, LEFT, &[0.0, 25.0, 50.0, 75.0, 100.0], name);
    let ticks = round_ticks(x.values.0, x.values.1, 8.0);
    let name = lang.pick("streams that the capacity is at least", "容量至少为多少路");
    draw_below(&mut canvas, &x, BOTTOM, &ticks, name);
    legend(&mut canvas, BOTTOM + 70.0, lang);
    Ok(canvas.finish())
}

fn draw_interval(canvas: &mut Canvas, x: &Scale, (lower, upper): (f64, f64), lang: Lang) {
    let (left, right) = (x.at(lower), x.at(upper + 1.0));
    canvas.rect((left, TOP), (right, BOTTOM), (colour::GOOD, 0.12));
    let text = format!("{} {lower}–{upper}", lang.pick("interval", "区间"));
    let middle = f64::midpoint(left, right);
    canvas.text((middle, TOP - 8.0), &text, colour::GOOD, Anchor::Middle);
}

/// The chance between the loads for which it is known; certain below them and none above.
fn draw_chances(canvas: &mut Canvas, x: &Scale, y: &Scale, chances: &[(f64, f64)]) {
    let known = chances.iter().map(|(load, chance)| (*load, 100.0 * chance));
    let all = [(x.values.0, 100.0)]
        .into_iter()
        .chain(known)
        .chain([(x.values.1, 0.0)]);
    let points: Vec<(f64, f64)> = all
        .filter(|(load, _)| *load >= x.values.0 && *load <= x.values.1)
        .map(|(load, percent)| (x.at(load), y.at(percent)))
        .collect();
    canvas.path(&points, colour::MARK, 2.0);
}

/// A level on the axis: whether it is, or looks, broken.
fn draw_load(canvas: &mut Canvas, x: &Scale, level: &LevelSummary) {
    let streams = level.load.amount();
    if streams < x.values.0 || streams > x.values.1 {
        return;
    }
    let shade = if level.is_broken() {
        colour::BAD
    } else {
        colour::GOOD
    };
    canvas.dot((x.at(streams), BOTTOM), 4.0, (shade, true));
}

/// Left outside of the interval on each side, in tenths of a per cent.
fn percent_outside() -> f64 {
    (1_000.0 * tail(Confidence::DEFAULT)).round() / 10.0
}

fn legend(canvas: &mut Canvas, y: f64, lang: Lang) {
    let middle = y - EM * 0.35;
    let dots = [
        (
            colour::GOOD,
            lang.pick("visited, does not look broken", "测过，看来未超标"),
        ),
        (
            colour::BAD,
            lang.pick("visited, looks broken", "测过，看来超标"),
        ),
    ];
    let mut left = LEFT;
    for (shade, text) in dots {
        canvas.dot((left + 6.0, middle), 4.0, (shade, true));
        canvas.text((left + 17.0, y), text, colour::INK, Anchor::Start);
        left += 220.0;
    }
    canvas.line(
        (left, middle),
        (left + 22.0, middle),
        (colour::BAD, 1.4, "6 4"),
    );
    let tail = percent_outside();
    let text = match lang {
        Lang::En => format!("{tail} % left outside on each side"),
        Lang::Zh => format!("两侧各留 {tail} %"),
    };
    canvas.text((left + 29.0, y), &text, colour::INK, Anchor::Start);
}
