//! A verdict on a line: capacity with its interval, gateway cap, planned mean, and how often
//! requests in flight exceed the cap if they fluctuate like Poisson around the planned mean.

use anyhow::{Context, Result};
use plimsoll_core::stats::poisson_exceeds;

use super::canvas::{Anchor, Canvas, Lang, WIDTH, colour};
use super::run::Found;
use super::scale::{Scale, draw_below, number, round_ticks};

const LEFT: f64 = 20.0;
const RIGHT: f64 = WIDTH - 20.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 250.0;

pub(super) fn draw(found: &Found, lang: Lang) -> Result<String> {
    let verdict = &found.verdict;
    let capacity = verdict.capacity.context("the search found no capacity")?;
    let (found, lower) = (capacity.at.amount(), capacity.lower.amount());
    let advice = verdict.recommended.context("there is no recommendation")?;
    let cap = advice.cap.streams().context("the search is of streams")?;
    let exceeds = advice
        .exceeds_cap_ratio
        .context("a mean in flight exceeds its cap")?;
    let planned = advice.mean_amount;
    let title = lang.pick(
        "A verdict: capacity with its interval, gateway cap, planned mean",
        "一个结论：容量及其区间、网关上限、平均并发",
    );
    let mut canvas = Canvas::new(BOTTOM + 50.0, title);
    let upper = capacity.upper.unwrap_or(capacity.at).amount();
    let x = Scale {
        values: (0.0, upper * 1.45),
        pixels: (LEFT, RIGHT),
    };
    let (low, high) = (x.at(lower), x.at(upper));
    canvas.rect((low, TOP - 6.0), (high, BOTTOM), (colour::INK, 0.2));
    in_flight(&mut canvas, &x, planned, cap);

    let over = format!("{:.1} %", exceeds * 100.0);
    let text = match lang {
        Lang::En => format!("over the cap {over} of the time"),
        Lang::Zh => format!("超过上限的时间占 {over}"),
    };
    let at = (x.at(upper) + 10.0, BOTTOM - 28.0);
    canvas.text(at, &text, colour::BAD, Anchor::Start);
    let range = format!("{lower}–{}", number(upper));
    let marks = [
        (
            found,
            colour::INK,
            lang.pick("capacity", "容量").to_owned() + &format!(" {found} ({range})"),
        ),
        (
            f64::from(cap),
            colour::MARK,
            lang.pick("gateway cap", "网关上限").to_owned() + &format!(" {cap}"),
        ),
        (
            planned,
            colour::PLAN,
            lang.pick("planned mean", "平均并发").to_owned() + &format!(" {}", number(planned)),
        ),
    ];
    for (rank, (streams, colour, text)) in marks.iter().enumerate() {
        let height = 20.0 + 24.0 * rank as f64;
        let at = x.at(*streams);
        canvas.line((at, height - 10.0), (at, BOTTOM), (colour, 1.8, ""));
        canvas.text((at - 7.0, height), text, colour, Anchor::End);
    }
    let ticks = round_ticks(0.0, x.values.1, 8.0);
    let name = lang.pick("requests in flight", "在途请求数");
    draw_below(&mut canvas, &x, BOTTOM, &ticks, name);
    Ok(canvas.finish())
}

/// The Poisson distribution of requests in flight, what lies over the cap in another colour.
fn in_flight(canvas: &mut Canvas, x: &Scale, mean: f64, cap: u32) {
    let share = |n: u32| {
        let at_least = if n == 0 {
            1.0
        } else {
            poisson_exceeds(n - 1, mean)
        };
        at_least - poisson_exceeds(n, mean)
    };
    let last = x.values.1.floor() as u32;
    let most = (0..=last).map(share).fold(0.0, f64::max);
    let half = (x.at(1.0) - x.at(0.0)) * 0.38;
    for n in 0..=last {
        let height = share(n) / most * (BOTTOM - TOP);
        if height < 0.3 {
            continue;
        }
        let (middle, is_over) = (x.at(f64::from(n)), n > cap);
        let colour = if is_over { colour::BAD } else { colour::PLAN };
        let from = (middle - half, BOTTOM - height);
        canvas.rect(from, (middle + half, BOTTOM), (colour, 0.5));
    }
}
