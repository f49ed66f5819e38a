//! The tables, in Markdown.

use plimsoll_core::judge::Decision;

use super::aims::{Aim, AimFound, AimScore};
use super::gates::{self, cap_holds, covered, false_decisions, feasible};
use super::rates::{Rate, quantile};
use super::study::{Found, Study};
use super::trial::{Ends, Score, covers};

/// All tables of a study.
pub(super) fn tables(study: &Study, set: u64) -> String {
    let parts = [
        goals(study, set),
        edges(study),
        second(study),
        aims(study),
        peers(study),
        judge(study),
        other_ways(study),
    ];
    parts.join("\n\n")
}

/// A share with its exact bounds: `93.1 % (91.4–94.6)`.
fn share(rate: Rate) -> String {
    let (low, high) = rate.interval();
    format!("{:.1} % ({low:.1}–{high:.1})", rate.percent())
}

fn scores<'a>(engines: &[&'a Found]) -> Vec<&'a Score> {
    engines.iter().map(|one| &one.score).collect()
}

fn goals(study: &Study, set: u64) -> String {
    let engines = feasible(&study.steady);
    let over = gates::over_budget(study);
    let reached = if over.hits == 0 { "reached" } else { "missed" };
    let times: Vec<f64> = engines
        .iter()
        .map(|one| one.score.answer.load_time_s)
        .collect();
    format!(
        "### Goals, in 15 minutes\n\n\
         Seed set {set}: {} engines, {} of which carry one stream or more within their SLO.\n\n\
         | figure | goal | measured (exact 95 % bounds) | |\n|---|---|---|---|\n\
         {}\n| load time over the budget | never | {} of {} | {reached} |\n\n\
         Load time: median {:.0} s, 90 % within {:.0} s. {}",
        study.steady.len(),
        engines.len(),
        goals_of_engines(&engines).join("\n"),
        over.hits,
        over.of,
        quantile(times.clone(), 0.5),
        quantile(times, 0.9),
        nothing_holds(study)
    )
}

/// A line for each goal on a share of the engines.
fn goals_of_engines(engines: &[&Found]) -> Vec<String> {
    let all = scores(engines);
    let goals = [
        (
            "error of the capacity ≤ 5 % or one stream",
            Rate::of(&all, |one| one.is_close),
            gates::CLOSE,
        ),
        (
            "… or the metric at the stated capacity within 5 % of its bound",
            Rate::of(&all, |one| one.is_close_enough),
            gates::CLOSE_ENOUGH,
        ),
        (
            "the 95 % interval covers the truth",
            Rate::of(engines, |one| covered(one)),
            gates::COVERED,
        ),
        (
            "the gateway cap meets the SLO on a fresh long hold",
            cap_holds(&all),
            gates::CAP_HOLDS,
        ),
    ];
    goals
        .into_iter()
        .map(|(name, rate, goal)| {
            let said = match (rate.percent() >= goal, rate.misses_at_least(goal)) {
                (true, _) => "reached",
                (_, true) => "missed",
                _ => "not excluded",
            };
            format!("| {name} | ≥ {goal} % | {} | {said} |", share(rate))
        })
        .collect()
}

/// What is said of engines that carry nothing, and how well the truth itself is known.
fn nothing_holds(study: &Study) -> String {
    let none: Vec<&Found> = study
        .steady
        .iter()
        .filter(|one| one.score.truth.streams == 0)
        .collect();
    let said = Rate::of(&none, |one| one.score.answer.streams == 0);
    let unsure = Rate::of(&study.steady, |one| {
        one.score.truth.error_streams > 0.01 * f64::from(one.score.truth.streams.max(1))
    });
    format!(
        "Of {} engines on which even one stream breaks the SLO, {} were said to be so. The truth itself has a standard error above 1 % on {} engines.",
        said.of, said.hits, unsure.hits
    )
}

const HEAD: &str = "engines | error | error or metric | covers | truth below it | truth above it | width / C | cap holds | load time |";
const RULE: &str = "---|---|---|---|---|---|---|---|---|";

fn row(engines: &[&Found]) -> String {
    let all = scores(engines);
    let below = Rate::of(engines, |one| {
        one.score
            .answer
            .interval
            .is_some_and(|(lower, _)| lower > one.score.truth.streams)
    });
    let above = Rate::of(engines, |one| {
        one.score
            .answer
            .interval
            .is_some_and(|(_, upper)| upper.is_some_and(|upper| upper < one.score.truth.streams))
    });
    let widths = all
        .iter()
        .filter_map(|one| {
            let (lower, upper) = one.answer.interval?;
            Some(f64::from(upper? - lower) / f64::from(one.truth.streams))
        })
        .collect();
    let times = all.iter().map(|one| one.answer.load_time_s).collect();
    format!(
        "{} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {:.0} % | {:.1} % | {:.0} s |",
        engines.len(),
        Rate::of(&all, |one| one.is_close).percent(),
        Rate::of(&all, |one| one.is_close_enough).percent(),
        Rate::of(engines, |one| covered(one)).percent(),
        below.percent(),
        above.percent(),
        100.0 * quantile(widths, 0.5),
        cap_holds(&all).percent(),
        quantile(times, 0.5)
    )
}

fn edges(study: &Study) -> String {
    let engines = feasible(&study.steady);
    let part = |is: fn(&Score) -> bool| -> Vec<&Found> {
        engines
            .iter()
            .copied()
            .filter(|one| is(&one.score))
            .collect()
    };
    format!(
        "### By the kind of edge\n\n| edge | {HEAD}\n|---|{RULE}\n| all | {}\n| cliff (cap or KV) | {}\n| smooth, TPOT breaks first | {}\n| smooth, TTFT breaks first | {}",
        row(&engines),
        row(&part(|one| one.truth.is_cliff())),
        row(&part(|one| !one.truth.is_cliff() && one.truth.binding == 1)),
        row(&part(|one| !one.truth.is_cliff() && one.truth.binding == 0)),
    )
}

fn second(study: &Study) -> String {
    let engines = feasible(&study.troubled);
    let mut kinds: Vec<&str> = engines.iter().map(|one| one.score.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of_kind = |kind: &&str| {
        let part: Vec<&Found> = engines
            .iter()
            .copied()
            .filter(|one| one.score.kind == *kind)
            .collect();
        format!("| {kind} | {}", row(&part))
    };
    let rows: Vec<String> = kinds.iter().map(of_kind).collect();
    format!(
        "### What breaks the model's assumptions\n\n| second population | {HEAD}\n|---|{RULE}\n| all | {}\n{}",
        row(&engines),
        rows.join("\n")
    )
}

fn aims(study: &Study) -> String {
    let row = |(aim, all): &(Aim, Vec<AimFound>)| {
        let all: Vec<&AimScore> = all.iter().filter_map(AimFound::score).collect();
        let of = |is: fn(&AimScore) -> bool| Rate::of(&all, |one| is(one)).percent();
        let lower = gates::lower_holds(&all);
        let widths = all.iter().filter_map(|one| {
            Some(f64::from(one.interval.1? - one.interval.0) / f64::from(one.truth))
        });
        let times = all.iter().map(|one| one.load_time_s);
        format!(
            "| {} | {} | {:.1} % | {:.1} % | {} | {:.1} % | {:.1} % | {:.0} % | {:.1} % | {:.0} s |",
            aim.name(),
            all.len(),
            of(|one| one.is_close),
            of(|one| one.is_close_enough),
            share(gates::aim_covered(&all)),
            of(|one| one.interval.0 > one.truth),
            of(|one| one.interval.1.is_some_and(|upper| upper < one.truth)),
            100.0 * quantile(widths.collect(), 0.5),
            lower.percent(),
            quantile(times.collect(), 0.5)
        )
    };
    let rows: Vec<String> = study.aims.iter().map(row).collect();
    let said: Vec<bool> = study
        .aims
        .iter()
        .flat_map(|(_, all)| all)
        .filter_map(|one| match one {
            AimFound::NoEdge { is_said } => Some(*is_said),
            AimFound::Edge(_) => None,
        })
        .collect();
    format!(
        "### Objectives of other kinds\n\n| objective | engines | error | error or metric | covers (exact 95 % bounds) | truth below it | truth above it | width / C | lower end holds | load time |\n|---|---|---|---|---|---|---|---|---|---|\n{}\n\nOn {} more engines nothing breaks, since streams beyond a full batch only wait; of {} that is said.",
        rows.join("\n"),
        said.len(),
        Rate::of(&said, |is_said| *is_said).hits,
    )
}

fn peers(study: &Study) -> String {
    let mut text = vec!["### What others would have said\n\n| rule | engines | error ≤ 5 % or one stream | or metric | answer / truth, 10–50–90 % | load time, median |\n|---|---|---|---|---|---|".to_owned()];
    let count = study.peers.first().map_or(0, |(_, scores)| scores.len());
    let ours: Vec<&Score> = study
        .steady
        .iter()
        .take(count)
        .map(|one| &one.score)
        .collect();
    let mut add = |name: &str, all: &[&Score]| {
        let all: Vec<&&Score> = all.iter().filter(|one| one.truth.streams > 0).collect();
        let ratios = || {
            all.iter()
                .map(|one| f64::from(one.answer.streams) / f64::from(one.truth.streams))
                .collect()
        };
        let times = all.iter().map(|one| one.answer.load_time_s).collect();
        text.push(format!(
            "| {name} | {} | {:.1} % | {:.1} % | {:.2}–{:.2}–{:.2} | {:.0} s |",
            all.len(),
            Rate::of(&all, |one| one.is_close).percent(),
            Rate::of(&all, |one| one.is_close_enough).percent(),
            quantile(ratios(), 0.1),
            quantile(ratios(), 0.5),
            quantile(ratios(), 0.9),
            quantile(times, 0.5)
        ));
    };
    add("`plimsoll find`, 15 min", &ours);
    let short: Vec<&Score> = study.at_guides_time.iter().collect();
    add(
        "`plimsoll find` in the time of the guide's script on that engine",
        &short,
    );
    for (name, all) in &study.peers {
        add(name, &all.iter().collect::<Vec<_>>());
    }
    text.join("\n")
}

fn judge(study: &Study) -> String {
    let mut text = vec!["### False decisions of the judge at the bound itself\n\n| levels | count | false passes | false fails | false decisions |\n|---|---|---|---|---|".to_owned()];
    let mut add = |name: &str, decisions: &[Decision]| {
        let of = |wanted: Decision| Rate::of(decisions, |one| *one == wanted).percent();
        text.push(format!(
            "| {name} | {} | {:.1} % | {:.1} % | {} |",
            decisions.len(),
            of(Decision::Pass),
            of(Decision::Fail),
            share(false_decisions(decisions))
        ));
    };
    for kind in &study.judged {
        add(&kind.kind, &kind.decisions);
    }
    let all: Vec<Decision> = study
        .judged
        .iter()
        .flat_map(|one| one.decisions.clone())
        .collect();
    add("all", &all);
    text.join("\n")
}

fn other_ways(study: &Study) -> String {
    let engines = feasible(&study.steady);
    let isotonic = Rate::of(&engines, |one| {
        covers(one.isotonic, one.score.truth.streams)
    });
    let widths = |interval: fn(&Found) -> Option<Ends>| {
        let all = engines.iter().filter_map(|one| {
            let (lower, upper) = interval(one)?;
            Some(f64::from(upper? - lower) / f64::from(one.score.truth.streams))
        });
        100.0 * quantile(all.collect(), 0.5)
    };
    let ours: Vec<&Score> = study
        .steady
        .iter()
        .take(study.common_lengths.len())
        .map(|one| &one.score)
        .collect();
    let common: Vec<&Score> = study.common_lengths.iter().collect();
    let line = |all: &[&Score]| {
        let all: Vec<&&Score> = all.iter().filter(|one| one.truth.streams > 0).collect();
        format!(
            "{:.1} % | {:.1} %",
            Rate::of(&all, |one| one.is_close).percent(),
            Rate::of(&all, |one| covers(one.answer.interval, one.truth.streams)).percent()
        )
    };
    format!(
        "### Other ways to do it\n\n| interval, on the same levels | covers | width / C |\n|---|---|---|\n\
         | ours | {} | {:.0} % |\n| isotonic likelihood ratio, upper bound of the dispersion | {} | {:.0} % |\n\n\
         | lengths | error | covers |\n|---|---|---|\n| fresh at each level | {} |\n| the same at each level, in the same order | {} |",
        share(Rate::of(&engines, |one| covered(one))),
        widths(|one| one.score.answer.interval),
        share(isotonic),
        widths(|one| one.isotonic),
        line(&ours),
        line(&common)
    )
}
