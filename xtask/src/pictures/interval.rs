//! The interval: the deviance of each capacity, and the capacities below the threshold.

use anyhow::{Context, Result};

use super::canvas::{Anchor, Canvas, EM, Lang, WIDTH, colour};
use super::deviance::{Evidence, deviance, evidence};
use super::run::Found;
use super::scale::{Scale, draw_below, draw_left, round_ticks};

/// 95 % quantile of χ² with one degree of freedom.
const THRESHOLD: f64 = 3.84;
const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 260.0;
/// The picture ends at this deviance.
const MOST: f64 = 16.0;
/// Shown on both sides of the interval, in widths of it.
const AROUND: f64 = 1.2;

pub(super) fn draw(found: &Found, lang: Lang) -> Result<String> {
    let capacity = found.verdict.capacity.context("there is no capacity")?;
    let upper = capacity.upper.context("nothing broke")?;
    let objective = found.slo.0.first().context("there is no objective")?;
    let allowed = objective
        .allowed_share()
        .context("the objective is no share")?;
    let title = lang.pick(
        "The interval: how much the levels weigh against each capacity",
        "区间：各档数据在多大程度上不支持某个容量",
    );
    let mut canvas = Canvas::new(BOTTOM + 84.0, title);
    let around = (AROUND * f64::from(upper - capacity.lower)).max(5.0);
    let (low, high) = (
        f64::from(capacity.lower) - around,
        f64::from(upper) + around,
    );
    let x = Scale {
        values: (low.max(0.0).floor(), high.ceil()),
        pixels: (LEFT, RIGHT),
    };
    let y = Scale {
        values: (0.0, MOST),
        pixels: (BOTTOM, TOP),
    };
    let edges = (f64::from(capacity.lower) - 0.5, f64::from(upper) + 0.5);
    let (left, right) = (x.at(edges.0), x.at(edges.1));
    canvas.rect((left, TOP), (right, BOTTOM), (colour::GOOD, 0.12));
    let text = format!(
        "{} {}–{upper}",
        lang.pick("interval", "区间"),
        capacity.lower
    );
    let middle = f64::midpoint(left, right);
    canvas.text((middle, TOP - 8.0), &text, colour::GOOD, Anchor::Middle);

    let evidence = evidence(&found.levels);
    let deviances = deviance(&evidence, allowed, x.values.1 as u32);
    draw_steps(&mut canvas, &x, &y, &deviances);
    let height = y.at(THRESHOLD);
    canvas.line((LEFT, height), (RIGHT, height), (colour::BAD, 1.4, "6 4"));
    let text = lang.pick("threshold 3.84", "阈值 3.84");
    canvas.text((RIGHT, height - 6.0), text, colour::BAD, Anchor::End);

    let loads = evidence.iter().map(|(load, one)| (f64::from(*load), one));
    for (load, one) in loads.filter(|(load, _)| *load >= x.values.0 && *load <= x.values.1) {
        draw_load(&mut canvas, x.at(load), one, allowed);
    }
    let name = lang.pick("D(C) above its minimum", "D(C) 高出最小值的量");
    draw_left(&mut canvas, &y, LEFT, &[0.0, 4.0, 8.0, 12.0, 16.0], name);
    let ticks = round_ticks(x.values.0, x.values.1, 8.0);
    let name = lang.pick("capacity C, streams", "假设的容量 C（路）");
    draw_below(&mut canvas, &x, BOTTOM, &ticks, name);
    legend(&mut canvas, BOTTOM + 70.0, lang);
    Ok(canvas.finish())
}

/// D(C) as a line that is level within each capacity.
fn draw_steps(canvas: &mut Canvas, x: &Scale, y: &Scale, deviances: &[f64]) {
    let least = deviances.iter().copied().fold(f64::INFINITY, f64::min);
    let mut points = Vec::new();
    let shown = deviances.iter().enumerate().skip(x.values.0 as usize);
    for (capacity, value) in shown {
        let height = y.at((value - least).min(MOST));
        for side in [-0.5, 0.5] {
            let place = capacity as f64 + side;
            let within = place.clamp(x.values.0, x.values.1);
            points.push((x.at(within), height));
        }
    }
    points.dedup();
    canvas.path(&points, colour::MARK, 2.0);
}

/// A load that was tested, on the axis: whether its share is over the allowed one.
fn draw_load(canvas: &mut Canvas, x: f64, one: &Evidence, allowed: f64) {
    let is_over = one.share() > allowed;
    let colour = if is_over { colour::BAD } else { colour::GOOD };
    canvas.dot((x, BOTTOM), 4.0, (colour, true));
}

fn legend(canvas: &mut Canvas, y: f64, lang: Lang) {
    let middle = y - EM * 0.35;
    let entries = [
        (
            colour::GOOD,
            lang.pick("tested: few enough are over", "测过：超标占比在允许之内"),
        ),
        (
            colour::BAD,
            lang.pick("tested: too many are over", "测过：超标占比过大"),
        ),
    ];
    for (rank, (colour, text)) in entries.into_iter().enumerate() {
        let left = LEFT + 210.0 * rank as f64;
        canvas.dot((left + 6.0, middle), 4.0, (colour, true));
        canvas.text((left + 17.0, y), text, colour::INK, Anchor::Start);
    }
}
