//! Several searches of one server, side by side: their answers, how far these lie apart, and
//! whether that is more than chance.

use std::io;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use plimsoll_core::level::Load;
use plimsoll_core::repeat::{Beyond, Difference, Repeats, Repetition};
use plimsoll_core::verdict::VerdictKind;

use crate::lang::Lang;
use crate::layout;
use crate::layout::STYLE;
use crate::load::load_text;
use crate::number::{MISSING, duration, figure};

/// Writes the comparison for a terminal of `width` columns.
pub fn render(repeats: &Repeats, lang: Lang, width: u16, w: &mut dyn io::Write) -> io::Result<()> {
    if !repeats.runs.is_empty() {
        writeln!(w, "{}\n", table(&repeats.runs, lang))?;
    }
    for line in layout::wrap(&answer(repeats, lang), usize::from(width)) {
        writeln!(w, "{line}")?;
    }
    Ok(())
}

fn table(runs: &[Repetition], lang: Lang) -> Table {
    let heads = lang.pick(
        ["run", "capacity", "interval", "under load"],
        ["序号", "容量", "置信区间", "加压"],
    );
    let mut table = Table::new();
    let _ = table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heads);
    for run in runs {
        let found = run.capacity.map(|found| {
            let at = load_text(found.at, lang);
            let at_least = if is_open(run) { "≥ " } else { "" };
            format!("{at_least}{at}")
        });
        let cells = [
            Some(run.folder.clone()),
            found,
            interval(run, lang),
            Some(duration(run.load_time_s, lang)),
        ];
        let _ = table.add_row(cells.map(|text| {
            Cell::new(text.unwrap_or_else(|| MISSING.to_owned()))
                .set_alignment(CellAlignment::Right)
        }));
    }
    table
}

/// Only a search that closed in on an edge, or found none, has an interval.
fn interval(run: &Repetition, lang: Lang) -> Option<String> {
    let found = run.capacity?;
    let lower = found.lower.amount();
    match (run.kind, found.upper.map(Load::amount)) {
        (VerdictKind::Capacity, Some(upper)) => Some(format!("{lower}–{upper}")),
        (VerdictKind::Capacity | VerdictKind::AboveLast, None) => {
            Some(lang.pick(format!("{lower} or more"), format!("{lower} 及以上")))
        }
        _ => None,
    }
}

fn answer(repeats: &Repeats, lang: Lang) -> String {
    let parts = [
        unfinished(repeats, lang),
        range(repeats, lang),
        Some(match (&repeats.beyond, &repeats.difference) {
            (Some(beyond), _) => one_is_beyond(*beyond, lang),
            (None, Some(difference)) => differ(difference, lang),
            (None, None) => lang
                .pick(
                    "Whether they differ is not known: fewer than two have an interval with both \
                     ends.",
                    "各遍结果是否不同无法判断：两端都确定的置信区间不到两个。",
                )
                .to_owned(),
        }),
        not_compared(repeats, lang),
        Some(
            lang.pick(
                "An interval belongs to this server as it was in that run. What a restart or \
                 another day changes shows only in runs made then.",
                "置信区间只对那一遍测试时的服务端成立；重启或换个时段的影响，只有在那时再测才看得到。",
            )
            .to_owned(),
        ),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    said.join(lang.pick(" ", ""))
}

fn unfinished(repeats: &Repeats, lang: Lang) -> Option<String> {
    let (done, asked) = (repeats.runs.len(), repeats.asked);
    (done < asked as usize).then(|| {
        lang.pick(
            format!("{done} of {asked} runs have come to their end."),
            format!("计划测 {asked} 遍，完成了 {done} 遍。"),
        )
    })
}

fn range(repeats: &Repeats, lang: Lang) -> Option<String> {
    let (least, most) = repeats.range?;
    let from = least.amount();
    let [least, most] = [least, most].map(|load| load_text(load, lang));
    let with_answer = repeats.runs.iter().filter(|run| run.capacity.is_some());
    let (answers, of) = (with_answer.clone().count(), repeats.runs.len());
    Some(
        match (answers, least == most, with_answer.clone().any(is_open)) {
            (1, ..) if of == 1 => return None,
            (_, true, false) if answers == of => lang.pick(
                format!("The capacity is {least} each time."),
                format!("每遍测得的容量都是 {least}。"),
            ),
            (_, true, true) => lang.pick(
                format!("The capacity is at least {least}, in {answers} of {of} runs."),
                format!("{of} 遍中有 {answers} 遍测得容量至少为 {least}。"),
            ),
            (_, true, false) => lang.pick(
                format!(
                    "The capacity is {least}, in {answers} of {of} runs; the others have no answer."
                ),
                format!("{of} 遍中有 {answers} 遍测得容量为 {least}，其余没有结论。"),
            ),
            (_, _, true) => lang.pick(
                format!("Capacities from {from} to at least {most}."),
                format!("测得的容量从 {least}到至少 {most}。"),
            ),
            _ => lang.pick(
                format!("Capacities from {from} to {most}."),
                format!("测得的容量在 {least}到 {most}之间。"),
            ),
        },
    )
}

/// Whether its capacity is a lower bound.
fn is_open(run: &Repetition) -> bool {
    matches!(
        run.kind,
        VerdictKind::AboveLast | VerdictKind::ClientLimited
    )
}

fn one_is_beyond(beyond: Beyond, lang: Lang) -> String {
    let [at_least, upper] = [beyond.at_least, beyond.upper].map(|load| load_text(load, lang));
    lang.pick(
        format!(
            "They differ: one carried at least {at_least}, and another's interval ends at \
             {upper}. The server was not the same each time. Plan with the lowest."
        ),
        format!(
            "各遍结果不同：有一遍至少能承载 {at_least}，另一遍的置信区间却只到 {upper}；服务端每次的状态并不相同。\
             规划时请按最低的一遍。"
        ),
    )
}

fn differ(difference: &Difference, lang: Lang) -> String {
    let chance = probability(difference.probability);
    let (chi2, df) = (figure(difference.chi2), difference.degrees_of_freedom);
    if difference.differ {
        lang.pick(
            format!(
                "They differ by more than chance (χ² {chi2} on {df} df, p {chance}): the \
                 server was not the same each time. Plan with the lowest."
            ),
            format!(
                "各遍之间的差别超出了偶然波动（χ² {chi2}，自由度 {df}，p {chance}）：服务端每次的状态并不相同。\
                 规划时请按最低的一遍。"
            ),
        )
    } else {
        let least = percent_up(difference.resolution_ratio);
        lang.pick(
            format!(
                "No difference shows (χ² {chi2} on {df} df, p {chance}); one below about \
                 {least} % between two runs would hardly show."
            ),
            format!(
                "看不出差别（χ² {chi2}，自由度 {df}，p {chance}）；两遍之间若相差不到 {least} % 左右，这样测也很难看出来。"
            ),
        )
    }
}

fn not_compared(repeats: &Repeats, lang: Lang) -> Option<String> {
    let compared = repeats.difference.as_ref()?.runs as usize;
    let rest = repeats
        .runs
        .len()
        .checked_sub(compared)
        .filter(|rest| *rest > 0)?;
    Some(lang.pick(
        format!("Not compared, for want of an interval with both ends: {rest}."),
        format!("有 {rest} 遍的置信区间缺了一端或没有区间，未参与比较。"),
    ))
}

fn probability(probability: f64) -> String {
    if probability < 0.001 {
        "< 0.001".to_owned()
    } else {
        let digits = if probability < 0.1 { 3 } else { 2 };
        format!("= {probability:.digits$}")
    }
}

/// A whole percentage, rounded up: nothing finer is promised.
fn percent_up(ratio: f64) -> String {
    format!("{:.0}", (ratio * 100.0).ceil())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use plimsoll_core::verdict::Capacity;

    use super::*;

    fn run(
        folder: u32,
        kind: VerdictKind,
        capacity: Option<(u32, u32, Option<u32>)>,
    ) -> Repetition {
        Repetition {
            folder: folder.to_string(),
            seed: 0,
            started_utc: "2025-03-01T08:00:00Z".to_owned(),
            load_time_s: 412.0,
            kind,
            capacity: capacity.map(|(streams, lower, upper)| Capacity {
                at: Load::Streams(streams),
                lower: Load::Streams(lower),
                upper: upper.map(Load::Streams),
            }),
        }
    }

    fn closed(folder: u32, streams: u32, lower: u32, upper: u32) -> Repetition {
        run(
            folder,
            VerdictKind::Capacity,
            Some((streams, lower, Some(upper))),
        )
    }

    #[test]
    fn every_comparison() {
        let alike = vec![
            closed(1, 48, 46, 49),
            closed(2, 47, 45, 49),
            closed(3, 48, 46, 50),
        ];
        let apart = vec![closed(1, 48, 46, 49), closed(2, 36, 35, 38)];
        let mixed = vec![
            closed(1, 48, 48, 48),
            closed(2, 48, 47, 48),
            run(3, VerdictKind::AboveLast, Some((64, 64, None))),
            run(4, VerdictKind::Inconclusive, None),
        ];
        let beside = vec![
            closed(1, 48, 46, 65),
            closed(2, 50, 47, 66),
            run(3, VerdictKind::AboveLast, Some((64, 64, None))),
        ];
        let alone = vec![closed(1, 48, 46, 49)];
        let nothing = |folder| run(folder, VerdictKind::Inconclusive, None);
        let one_of_three = vec![nothing(1), closed(2, 8, 7, 9), nothing(3)];
        let no_answer = vec![nothing(1), nothing(2)];
        let at_least = vec![
            run(1, VerdictKind::ClientLimited, Some((64, 64, None))),
            run(2, VerdictKind::AboveLast, Some((64, 64, None))),
        ];
        let cases = [
            (3, alike),
            (2, apart),
            (4, mixed),
            (3, beside),
            (3, alone),
            (2, Vec::new()),
            (3, one_of_three),
            (2, no_answer),
            (2, at_least),
        ];
        let mut text = Vec::new();
        for (asked, runs) in cases {
            let repeats = Repeats::of(asked, runs);
            for lang in [Lang::En, Lang::Zh] {
                render(&repeats, lang, 80, &mut text).unwrap();
                writeln!(text).unwrap();
            }
        }
        insta::assert_snapshot!(String::from_utf8(text).unwrap());
    }
}
