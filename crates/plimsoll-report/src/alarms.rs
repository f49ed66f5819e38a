//! What the figures of a level do not show: that it was not steady, that it drifts, that its
//! streams were in lockstep.

use plimsoll_core::level::{Alarm, LevelSummary, LevelVerdict, Load};
use plimsoll_core::run::Run;

use crate::lang::Lang;
use crate::load::load_text;
use crate::number::{figure, percent, so_many};
use crate::words;

/// One line for each level that raises alarms though it is not broken, and one for lockstep.
pub(crate) fn alarms(run: &Run, lang: Lang) -> impl Iterator<Item = String> {
    let broken = |verdict| matches!(verdict, LevelVerdict::Void | LevelVerdict::Fail);
    run.levels
        .iter()
        .filter(move |level| !broken(level.verdict))
        .filter_map(move |level| of_level(level, lang))
        .chain(lockstep(run, lang))
}

/// The level at whose end the largest share of requests hung, and on how many others some did.
pub(crate) fn hanging(run: &Run, lang: Lang) -> Option<String> {
    let of_level = |level: &LevelSummary| {
        level.alarms.iter().find_map(|alarm| match *alarm {
            Alarm::Unanswered {
                requests,
                of,
                longest_s,
            } => Some((level.load, (requests, of), longest_s)),
            _ => None,
        })
    };
    let seen: Vec<_> = run.levels.iter().filter_map(of_level).collect();
    let share = |(requests, of): (usize, usize)| requests as f64 / of.max(1) as f64;
    let worst = seen.iter().max_by(|a, b| share(a.1).total_cmp(&share(b.1)));
    let (load, counts, longest_s) = *worst?;
    let hang = words::unanswered(counts, longest_s, lang);
    let load = load_text(load, lang);
    let others = match seen.len() - 1 {
        0 => String::new(),
        others => lang.pick(
            format!(
                ", and a smaller share on {}",
                so_many(others as u64, "other level")
            ),
            format!("；另有 {others} 档也有，比例更小"),
        ),
    };
    Some(lang.pick(
        format!("At {load}: {hang}{others}."),
        format!("{load}这一档：{hang}{others}。"),
    ))
}

/// The alarms of levels that are broken: a queue that grows is not steady, and nothing else was to be
/// expected.
pub(crate) fn alarms_when_broken(run: &Run, lang: Lang) -> impl Iterator<Item = String> {
    run.levels
        .iter()
        .filter(|level| level.verdict == LevelVerdict::Fail)
        .filter_map(move |level| of_level(level, lang))
}

fn of_level(level: &LevelSummary, lang: Lang) -> Option<String> {
    let drifts = |of| {
        level
            .alarms
            .iter()
            .any(|alarm| matches!(alarm, Alarm::Drifting { metric, .. } if *metric == of))
    };
    let said: Vec<String> = level
        .alarms
        .iter()
        // A drift says more than that the beginning is another.
        .filter(|alarm| !matches!(alarm, Alarm::NotSteady { metric, .. } if drifts(*metric)))
        .filter_map(|alarm| clause(alarm, lang))
        .collect();
    let load = load_text(level.load, lang);
    (!said.is_empty()).then(|| {
        lang.pick(
            format!("At {load}: {}.", said.join("; ")),
            format!("{load}这一档：{}。", said.join("；")),
        )
    })
}

fn clause(alarm: &Alarm, lang: Lang) -> Option<String> {
    match alarm {
        Alarm::NotSteady {
            metric,
            start_ratio,
            start_mean_ms,
            rest_mean_ms,
        } => {
            let (start, rest) = (figure(*start_mean_ms), figure(*rest_mean_ms));
            let (metric, share) = (*metric, percent(*start_ratio));
            Some(lang.pick(
                format!(
                    "{metric} was not steady, {start} ms on average in the first {share} % of the \
                     window and {rest} ms after"
                ),
                format!("{metric} 未稳定，窗口前 {share} % 平均 {start} ms，之后 {rest} ms"),
            ))
        }
        Alarm::Drifting {
            metric,
            first_mean_ms,
            last_mean_ms,
        } => {
            let (first, last) = (figure(*first_mean_ms), figure(*last_mean_ms));
            let metric = *metric;
            Some(lang.pick(
                format!(
                    "{metric} drifts, from {first} ms on average in the first 30 % of the window \
                     to {last} ms in the last"
                ),
                format!("{metric} 在漂移，窗口前 30 % 平均 {first} ms，后 30 % 平均 {last} ms"),
            ))
        }
        // These two have lines of their own.
        Alarm::Unanswered { .. } | Alarm::Lockstep { .. } => None,
    }
}

/// Draws of the phases at one load, over all its levels.
struct Draws {
    count: u32,
    least_ms: f64,
    most_ms: f64,
}

fn lockstep(run: &Run, lang: Lang) -> Option<String> {
    run.plan.lockstep.then(|| {
        let seen = widest(run).map_or(String::new(), |(load, draws)| {
            let (least, most) = (figure(draws.least_ms), figure(draws.most_ms));
            let (count, load) = (draws.count, load_text(load, lang));
            lang.pick(
                format!(
                    " At {load} the p95 TTFT of {count} draws was between {least} and {most} ms."
                ),
                format!("{load}时，{count} 次抽取的 p95 TTFT 在 {least} 到 {most} ms 之间。"),
            )
        });
        lang.pick(
            format!(
                "Lockstep: requests of one length keep streams in the phases of their start, so \
                 the start decides the figures. The phases are redrawn every few request times, and \
                 each draw counts once.{seen}"
            ),
            format!(
                "步调锁定：请求长度相同，各路的相位一直停在起步时的样子，数字取决于怎么起步。\
                 因此每隔几个请求耗时就重新抽取一次相位，每次抽取只算一个样本。{seen}"
            ),
        )
    })
}

/// The load whose draws differ most, with at least two of them.
fn widest(run: &Run) -> Option<(Load, Draws)> {
    let of_load = |load| {
        let same = run.levels.iter().filter(move |level| level.load == load);
        same.flat_map(|level| &level.alarms)
            .filter_map(|alarm| match alarm {
                Alarm::Lockstep {
                    draws,
                    least_ttft_p95_ms,
                    most_ttft_p95_ms,
                } => Some(Draws {
                    count: *draws,
                    least_ms: *least_ttft_p95_ms,
                    most_ms: *most_ttft_p95_ms,
                }),
                _ => None,
            })
            .reduce(|sum, one| Draws {
                count: sum.count + one.count,
                least_ms: sum.least_ms.min(one.least_ms),
                most_ms: sum.most_ms.max(one.most_ms),
            })
    };
    run.levels
        .iter()
        .filter(|level| level.verdict != LevelVerdict::Void)
        .filter_map(|level| Some((level.load, of_load(level.load)?)))
        .filter(|(_, draws)| draws.count > 1)
        .max_by(|(_, a), (_, b)| (a.most_ms / a.least_ms).total_cmp(&(b.most_ms / b.least_ms)))
}
