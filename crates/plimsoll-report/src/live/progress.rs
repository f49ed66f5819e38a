//! The line that changes while a level runs: the time of the whole run, what is known so far, the
//! level.

use plimsoll_core::level::{Level, LevelSummary, LevelVerdict, Load, Phase};
use plimsoll_core::load::Axis;
use plimsoll_core::run::Run;
use plimsoll_core::runner::Progress;
use plimsoll_core::time::Offset;

use crate::lang::Lang;
use crate::layout;
use crate::load::load_text;
use crate::number::{MISSING, cell, percent_down};

/// The line for a terminal of `width` columns; what has no place is left out at its end.
pub fn progress_line(run: &Run, progress: &Progress<'_>, lang: Lang, width: usize) -> String {
    let level = progress.level;
    let parts = [
        Some(time(run, progress.now, lang)),
        bracket(run, lang),
        Some(load_text(level.plan().load, lang)),
        Some(phase(level, progress.now, lang)),
    ];
    let parts = parts
        .into_iter()
        .flatten()
        .chain(window(level, progress.now, lang));
    let mut line = String::new();
    for part in parts {
        let sign = if line.is_empty() { "" } else { " · " };
        if layout::width(&line) + layout::width(sign) + layout::width(&part) > width {
            break;
        }
        line.push_str(sign);
        line.push_str(&part);
    }
    line
}

/// `3:12 gone, 11:48 left`.
fn time(run: &Run, now: Offset, lang: Lang) -> String {
    let gone_s = now.as_secs_f64();
    let search = run.plan.search().map(|search| search.budget_s);
    let hold = run.plan.hold().map(|hold| hold.for_s);
    let gone = clock(gone_s);
    match search
        .or(hold)
        .map(|whole_s| clock((whole_s - gone_s).max(0.0)))
    {
        Some(left) => lang.pick(
            format!("{gone} gone, {left} left"),
            format!("已用 {gone}，剩 {left}"),
        ),
        None => gone,
    }
}

/// Minutes and seconds, with hours where there are any: `3:12`, `1:03:12`.
fn clock(seconds: f64) -> String {
    let whole = seconds as u64;
    let (hours, minutes, seconds) = (whole / 3_600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// The highest load that holds so far and the lowest above it that breaks.
fn bracket(run: &Run, lang: Lang) -> Option<String> {
    let axis = run.plan.search()?.axis;
    let (low, high) = known(&run.levels, axis);
    let low = low.map(|load| {
        let load = load_text(load, lang);
        lang.pick(format!("{load} ok"), format!("{load}可以"))
    });
    let high = high.map(|load| {
        let load = load_text(load, lang);
        lang.pick(format!("{load} too many"), format!("{load}不行"))
    });
    let known: Vec<String> = [low, high].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(lang.pick(", ", "、")))
}

fn known(levels: &[LevelSummary], axis: Axis) -> (Option<Load>, Option<Load>) {
    let of_axis = || levels.iter().filter(|level| level.load.axis() == axis);
    let by_amount = |a: &Load, b: &Load| a.amount().total_cmp(&b.amount());
    let broken = of_axis().filter(|level| level.verdict == LevelVerdict::Fail);
    let high = broken.map(|level| level.load).min_by(by_amount);
    let holds = |level: &&LevelSummary| {
        matches!(level.verdict, LevelVerdict::Pass | LevelVerdict::Screened)
            && high.is_none_or(|high| level.load.amount() < high.amount())
    };
    let low = of_axis()
        .filter(holds)
        .map(|level| level.load)
        .max_by(by_amount);
    (low, high)
}

fn phase(level: &Level, now: Offset, lang: Lang) -> String {
    let elapsed = now.since(level.started_at()).as_secs_f64();
    let phase = match level.phase() {
        Phase::Handover => lang.pick("starting", "加压中"),
        Phase::Settle => lang.pick("settling", "趋稳中"),
        Phase::Window => lang.pick("counting", "计数中"),
    };
    let second = lang.pick("s", "秒");
    format!("{phase} {elapsed:.0} {second}")
}

/// Rate, TTFT and success of what ended in the window so far.
fn window(level: &Level, now: Offset, lang: Lang) -> [String; 3] {
    let since = level.window_from().unwrap_or(level.started_at());
    let span_s = now.since(since).as_secs_f64();
    let recent = level.recent();
    let (completed, failed) = (recent.completed(), recent.failed());
    let missing = || MISSING.to_owned();
    let rate = (span_s > 0.0).then(|| cell(completed as f64 / span_s));
    let rate = rate.unwrap_or_else(missing);
    let ttft = recent.ttft_mean_ms().map_or_else(missing, cell);
    let all = completed + failed;
    let success = (all > 0).then(|| percent_down(completed as f64 / all as f64));
    let success = success.unwrap_or_else(missing);
    [
        lang.pick(format!("{rate} req/s"), format!("{rate} 请求/秒")),
        lang.pick(format!("TTFT {ttft} ms"), format!("首字 {ttft} ms")),
        lang.pick(format!("{success} % ok"), format!("成功率 {success} %")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn times_are_read_as_on_a_clock() {
        assert_eq!(clock(0.0), "0:00");
        assert_eq!(clock(192.4), "3:12");
        assert_eq!(clock(3_792.0), "1:03:12");
    }

    #[test]
    fn what_is_known_lies_below_the_lowest_that_breaks() {
        let run = fixture::capacity();
        let loads = known(&run.levels, Axis::Streams);
        assert_eq!(loads, (Some(Load::Streams(45)), Some(Load::Streams(51))));
        assert_eq!(known(&run.levels, Axis::Rate), (None, None));
        assert_eq!(
            bracket(&run, Lang::En).unwrap(),
            "45 streams ok, 51 streams too many"
        );
        assert_eq!(bracket(&run, Lang::Zh).unwrap(), "45 路可以、51 路不行");
    }
}
