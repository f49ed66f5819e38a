//! A level: its streams as rows, its requests as bars, its three phases, and what counts.

use plimsoll_core::outcome::Outcome;
use plimsoll_core::time::Offset;

use super::canvas::{Anchor, Canvas, EM, Lang, WIDTH, colour};
use super::run::Pair;
use super::scale::{Scale, draw_below, round_ticks};

const LEFT: f64 = 96.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 52.0;
const ROW: f64 = 20.0;
/// Shown of the level before, as a share of the level.
const BEFORE: f64 = 0.08;

/// A request as it is drawn; s.
struct Bar {
    stream: u32,
    from_s: f64,
    first_s: Option<f64>,
    to_s: f64,
    /// Whether it goes on after the level.
    goes_on: bool,
}

pub(super) fn draw(pair: &Pair, lang: Lang) -> String {
    let summary = &pair.level.summary;
    let streams = summary.load.streams().unwrap_or(0);
    let (start, end) = (summary.started_s, summary.started_s + summary.duration_s);
    let bottom = TOP + ROW * f64::from(streams) + 6.0;
    let title = lang.pick(
        "A level: streams join, the transient passes, then first tokens count",
        "一档负载：逐路加入，等待过渡结束，此后的首字 才计入统计",
    );
    let mut canvas = Canvas::new(bottom + 84.0, title);
    let x = Scale {
        values: (start - BEFORE * (end - start), end),
        pixels: (LEFT, RIGHT),
    };
    let bars = bars(pair);
    let full = full_at(&bars, start);
    let window = summary.window.map_or(end, |window| window.from_s);
    phases(&mut canvas, &x, [start, full, window, end], bottom, lang);
    for bar in &bars {
        draw_bar(&mut canvas, &x, bar, window);
    }
    for stream in 0..streams {
        let y = row(stream) + 4.5;
        let name = format!("{} {}", lang.pick("stream", "第"), stream + 1);
        let name = name + lang.pick("", " 路");
        canvas.text((LEFT - 8.0, y), &name, colour::INK, Anchor::End);
    }
    let ticks = round_ticks(x.values.0, end, 8.0);
    draw_below(
        &mut canvas,
        &x,
        bottom,
        &ticks,
        lang.pick("time, s", "时间（秒）"),
    );
    legend(&mut canvas, bottom + 70.0, lang);
    canvas.finish()
}

fn row(stream: u32) -> f64 {
    TOP + ROW * (f64::from(stream) + 0.5)
}

/// Every request that was in flight at some time of the level or of what is shown before it.
fn bars(pair: &Pair) -> Vec<Bar> {
    let end_s = pair.level.summary.started_s + pair.level.summary.duration_s;
    let ended = pair.before.records.iter().chain(&pair.level.records);
    let seconds = |at: Offset| at.as_secs_f64();
    let mut bars: Vec<Bar> = ended
        .filter(|record| record.outcome == Outcome::Completed)
        .map(|record| Bar {
            stream: record.stream,
            from_s: seconds(record.due),
            first_s: record.first().map(seconds),
            to_s: seconds(record.done),
            goes_on: false,
        })
        .collect();
    bars.extend(pair.level.in_flight.iter().map(|request| Bar {
        stream: request.stream,
        from_s: seconds(request.due),
        first_s: request.first.map(seconds),
        to_s: end_s,
        goes_on: true,
    }));
    bars
}

/// When the last stream had sent its first request.
fn full_at(bars: &[Bar], start: f64) -> f64 {
    let streams = bars.iter().map(|bar| bar.stream).max().unwrap_or(0);
    let joins = |stream: u32| {
        let own = bars.iter().filter(move |bar| bar.stream == stream);
        own.map(|bar| bar.from_s).fold(f64::INFINITY, f64::min)
    };
    (0..=streams).map(joins).fold(start, f64::max)
}

fn phases(canvas: &mut Canvas, x: &Scale, at: [f64; 4], bottom: f64, lang: Lang) {
    let names = [
        lang.pick("handover", "交接"),
        lang.pick("settle", "稳定"),
        lang.pick("window", "统计窗口"),
    ];
    for (name, phase) in names.into_iter().zip(at.windows(2)) {
        let (left, right) = (x.at(phase[0]), x.at(phase[1]));
        if name == names[2] {
            canvas.rect((left, TOP), (right, bottom), (colour::GOOD, 0.12));
        }
        canvas.line(
            (left, TOP - 26.0),
            (left, bottom),
            (colour::INK, 1.0, "4 3"),
        );
        let middle = f64::midpoint(left, right);
        canvas.text((middle, TOP - 12.0), name, colour::INK, Anchor::Middle);
    }
}

fn draw_bar(canvas: &mut Canvas, x: &Scale, bar: &Bar, window: f64) {
    if bar.to_s <= x.values.0 {
        return;
    }
    let y = row(bar.stream);
    let (left, right) = (x.at(bar.from_s.max(x.values.0)), x.at(bar.to_s));
    let first = bar.first_s.unwrap_or(bar.to_s);
    let middle = x.at(first.max(x.values.0));
    // Thin while it waits for its first token, thick while tokens come.
    canvas.line((left + 1.0, y), (middle, y), (colour::INK, 1.6, ""));
    let gap = if bar.goes_on { 0.0 } else { 1.5 };
    if right - gap > middle {
        let (from, to) = ((middle, y - 4.0), (right - gap, y + 4.0));
        canvas.rect(from, to, (colour::INK, 0.35));
    }
    if let Some(first) = bar.first_s.filter(|first| *first >= x.values.0) {
        let counts = first >= window;
        let colour = if counts { colour::GOOD } else { colour::INK };
        canvas.dot((x.at(first), y), 3.6, (colour, counts));
    }
}

fn legend(canvas: &mut Canvas, y: f64, lang: Lang) {
    let middle = y - EM * 0.35;
    let mut left = LEFT;
    let mut entry = |canvas: &mut Canvas, text: &str, width: f64| {
        canvas.text((left + 26.0, y), text, colour::INK, Anchor::Start);
        let at = left;
        left += width;
        at
    };
    let at = entry(
        canvas,
        lang.pick("waits", "等待首字"),
        lang_width(lang, 84.0, 122.0),
    );
    canvas.line((at, middle), (at + 20.0, middle), (colour::INK, 1.6, ""));
    let at = entry(
        canvas,
        lang.pick("tokens come", "正在输出"),
        lang_width(lang, 120.0, 98.0),
    );
    canvas.rect(
        (at, middle - 4.0),
        (at + 20.0, middle + 4.0),
        (colour::INK, 0.35),
    );
    let text = lang.pick("first token that counts", "计入统计的首字");
    let at = entry(canvas, text, lang_width(lang, 184.0, 160.0));
    canvas.dot((at + 14.0, middle), 3.6, (colour::GOOD, true));
    let text = lang.pick("first token that does not", "不计入的首字");
    let at = entry(canvas, text, 160.0);
    canvas.dot((at + 14.0, middle), 3.6, (colour::INK, false));
}

fn lang_width(lang: Lang, en: f64, zh: f64) -> f64 {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}
