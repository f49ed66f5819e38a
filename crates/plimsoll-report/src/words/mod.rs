//! The words of both languages for what the core says as data: verdicts, objectives, reasons, what
//! broke, and causes. A value without its words in one of the languages does not compile.

mod broken;
mod cause;
mod outcome;
mod reason;

pub(crate) use broken::{broken_by, gone};
pub(crate) use cause::cause;
pub(crate) use outcome::outcome;
pub use reason::shortfall;
pub(crate) use reason::{reason, unanswered};

use plimsoll_core::level::LevelVerdict;
use plimsoll_core::slo::{Metric, Objective, Slo, Stat};
use plimsoll_core::tier::Tier;

use crate::lang::Lang;

/// The word of the table for what a level says.
pub(crate) fn level_verdict(verdict: LevelVerdict, lang: Lang) -> &'static str {
    match verdict {
        LevelVerdict::Pass => lang.pick("pass", "达标"),
        LevelVerdict::Fail => lang.pick("fail", "超标"),
        LevelVerdict::Undecided => lang.pick("undecided", "未定"),
        LevelVerdict::Screened => lang.pick("screened", "初筛通过"),
        LevelVerdict::Void => lang.pick("void", "作废"),
    }
}

/// The objectives, one after the other.
pub(crate) fn slo(slo: &Slo, lang: Lang) -> String {
    let parts: Vec<String> = slo.0.iter().map(|one| objective(one, lang)).collect();
    parts.join(lang.pick(", ", "、"))
}

/// Several tiers with their objectives.
pub(crate) fn tiers(tiers: &[Tier], lang: Lang) -> String {
    let parts: Vec<String> = tiers
        .iter()
        .map(|tier| {
            let (name, slo) = (&tier.name, slo(&tier.slo, lang));
            lang.pick(format!("{name}: {slo}"), format!("{name}：{slo}"))
        })
        .collect();
    parts.join(lang.pick("; ", "；"))
}

/// An objective with its bound: `ttft p95 ≤ 1 s`, `成功率 ≥ 99 %`.
pub(crate) fn objective(objective: &Objective, lang: Lang) -> String {
    format!("{} {}", objective_name(objective, lang), objective.limit())
}

/// An objective without its bound: `ttft p95`, `成功率`.
pub(crate) fn objective_name(objective: &Objective, lang: Lang) -> String {
    let metric = metric(objective.metric, lang);
    match objective.stat {
        Stat::Mean => format!("{metric} {}", lang.pick("mean", "均值")),
        Stat::Quantile(q) => format!("{metric} p{}", (q * 1e8).round() / 1e6),
        Stat::Ratio => metric,
    }
}

fn metric(metric: Metric, lang: Lang) -> String {
    match (lang, metric) {
        (Lang::Zh, Metric::Speed) => "单路速度".to_owned(),
        (Lang::Zh, Metric::Success) => "成功率".to_owned(),
        (Lang::Zh, Metric::Goodput) => "达标请求占比".to_owned(),
        (Lang::En, metric)
        | (Lang::Zh, metric @ (Metric::Ttft | Metric::Tpot | Metric::Itl | Metric::E2e)) => {
            metric.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_reads_in_english_as_it_is_written() {
        for text in ["ttft p99.9 <= 1.5s", "speed p5 >= 20", "goodput >= 95%"] {
            let one: Objective = text.parse().unwrap();
            assert_eq!(objective(&one, Lang::En), one.to_string());
        }
    }

    #[test]
    fn objectives_are_named_in_chinese() {
        let slo: Slo = Slo(vec![
            Objective::ttft_mean(1_000.0),
            Objective::success(0.99),
        ]);
        assert_eq!(super::slo(&slo, Lang::Zh), "ttft 均值 ≤ 1 s、成功率 ≥ 99 %");
        assert_eq!(
            super::slo(&slo, Lang::En),
            "ttft mean ≤ 1 s, success ≥ 99 %"
        );
    }
}
