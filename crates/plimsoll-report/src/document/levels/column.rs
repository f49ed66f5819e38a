//! What the columns show, and which of them matter most where there is little room.

use plimsoll_core::level::LevelSummary;
use plimsoll_core::load::LoadUnit;
use plimsoll_core::run::Run;
use plimsoll_core::slo::{Metric, Objective, Stat};

use super::Cell;
use super::visits::{Visits, statistic};
use crate::lang::Lang;
use crate::load::counted as counted_as;
use crate::words;

/// Which side the texts of a column stand at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name for machines, with its unit: `ttft_mean_ms`.
    pub key: String,
    /// Its name for people.
    pub heading: String,
    /// Its unit; empty where it has none.
    pub unit: &'static str,
    /// Which side its texts stand at.
    pub align: Align,
    /// A column with a larger number is left out first where there is little room.
    pub rank: u8,
}

/// A column with where its values come from.
pub(super) struct Source {
    column: Column,
    value: Box<dyn Fn(&Visits<'_>) -> Cell>,
}

impl Source {
    fn new(
        (key, heading, unit): (&str, &str, &'static str),
        rank: u8,
        value: impl Fn(&Visits<'_>) -> Cell + 'static,
    ) -> Self {
        Self {
            column: Column {
                key: key.to_owned(),
                heading: heading.to_owned(),
                unit,
                align: Align::Right,
                rank,
            },
            value: Box::new(value),
        }
    }

    pub(super) fn cell(&self, visits: &Visits<'_>) -> Cell {
        (self.value)(visits)
    }

    pub(super) fn into_column(self) -> Column {
        self.column
    }
}

/// Always shown.
const NEEDED: u8 = 0;
/// Shown wherever the bars are.
const BESIDE_BARS: u8 = 1;
/// Shown on wide terminals.
const WIDE: u8 = 2;
/// Shown on the widest.
const WIDEST: u8 = 3;

/// The columns that have something to say of this run.
pub(super) fn columns(run: &Run, lang: Lang) -> Vec<Source> {
    let mut all = counted(run, lang);
    all.extend(latencies(run, lang));
    all.extend(lengths(run, lang));
    let objectives = run.plan.slo.0.iter();
    all.extend(
        objectives
            .filter(|one| standard(one).is_none())
            .map(|one| of_objective(*one, lang)),
    );
    if run.levels.iter().any(|level| kv_max(level).is_some()) {
        let kv = |visits: &Visits<'_>| Cell::Share(visits.range(kv_max).map(|range| range.most));
        let heading = lang.pick("KV max", "KV 峰值");
        all.push(Source::new(("kv_max_percent", heading, "%"), WIDE, kv));
    }
    all
}

/// The lengths that came, where they are not those asked for.
fn lengths(run: &Run, lang: Lang) -> Vec<Source> {
    let any = |of: fn(&LevelSummary) -> Option<bool>| {
        run.levels.iter().any(|level| of(level) == Some(true))
    };
    let unit = lang.pick("tokens", "token");
    let mut columns = Vec::new();
    if any(LevelSummary::has_other_prompts) {
        let heading = lang.pick("prompt", "输入");
        columns.push(Source::new(
            ("prompt_tokens_mean", heading, unit),
            WIDE,
            |visits| Cell::Number(visits.mean_by_request(|level| level.prompt_tokens_mean)),
        ));
    }
    if any(LevelSummary::has_other_outputs) {
        let heading = lang.pick("answer", "输出");
        columns.push(Source::new(
            ("output_tokens_mean", heading, unit),
            BESIDE_BARS,
            |visits| Cell::Number(visits.mean_by_request(LevelSummary::all_output_tokens_mean)),
        ));
    }
    columns
}

/// What the loads are counted in.
fn load_heading(run: &Run, lang: Lang) -> &'static str {
    match run.plan.unit() {
        LoadUnit::RatePerS => lang.pick("arrivals", "到达"),
        unit @ (LoadUnit::Streams | LoadUnit::Users) => counted_as(unit, lang),
    }
}

fn load_cell(visits: &Visits<'_>) -> Cell {
    if visits.is_searched {
        Cell::Load(visits.load)
    } else {
        Cell::OtherLoad(visits.load)
    }
}

fn counted(run: &Run, lang: Lang) -> Vec<Source> {
    let mut verdict = Source::new(
        ("verdict", lang.pick("verdict", "结论"), ""),
        NEEDED,
        |visits| Cell::Verdict((!visits.levels.is_empty()).then(|| visits.verdict())),
    );
    verdict.column.align = Align::Left;
    vec![
        Source::new(("load", load_heading(run, lang), ""), NEEDED, |visits| {
            load_cell(visits)
        }),
        verdict,
        Source::new(
            ("requests", lang.pick("requests", "请求数"), ""),
            NEEDED,
            |visits| Cell::Count((!visits.levels.is_empty()).then(|| visits.ended())),
        ),
        Source::new(
            ("success_percent", lang.pick("ok", "成功率"), "%"),
            NEEDED,
            |visits| Cell::Success(visits.success_ratio()),
        ),
        Source::new(
            ("request_per_s", lang.pick("req/s", "QPS"), ""),
            NEEDED,
            |visits| Cell::Number(visits.rate(|level| level.request_per_s)),
        ),
        Source::new(
            ("output_tokens_per_s", lang.pick("total", "总吞吐"), "tok/s"),
            BESIDE_BARS,
            |visits| Cell::Number(visits.rate(|level| level.output_tokens_per_s)),
        ),
    ]
}

/// The latencies that people expect, those with an objective first where room is short.
fn latencies(run: &Run, lang: Lang) -> Vec<Source> {
    let rank = |column: Standard, otherwise| {
        let mut objectives = run.plan.slo.0.iter();
        if objectives.any(|one| standard(one) == Some(column)) {
            NEEDED
        } else {
            otherwise
        }
    };
    vec![
        Source::new(
            ("ttft_mean_ms", lang.pick("TTFT mean", "平均首字"), "ms"),
            NEEDED,
            |visits| Cell::Number(visits.mean(|level| &level.ttft_ms)),
        ),
        Source::new(
            ("ttft_p95_ms", lang.pick("TTFT p95", "P95 首字"), "ms"),
            rank(Standard::TtftP95, BESIDE_BARS),
            |visits| Cell::Quantile(visits.range(|level| level.ttft_ms.p95)),
        ),
        Source::new(
            ("tpot_mean_ms", lang.pick("TPOT mean", "平均 TPOT"), "ms"),
            rank(Standard::TpotMean, WIDE),
            |visits| Cell::Number(visits.mean(|level| &level.tpot_ms)),
        ),
        Source::new(
            ("tpot_p95_ms", lang.pick("TPOT p95", "P95 TPOT"), "ms"),
            rank(Standard::TpotP95, WIDEST),
            |visits| Cell::Quantile(visits.range(|level| level.tpot_ms.p95)),
        ),
        Source::new(
            (
                "speed_mean_tok_per_s",
                lang.pick("per stream", "单路速度"),
                "tok/s",
            ),
            rank(Standard::SpeedMean, WIDE),
            |visits| Cell::Number(visits.mean(|level| &level.speed_tok_per_s)),
        ),
        Source::new(
            ("e2e_mean_s", lang.pick("e2e mean", "平均时延"), "s"),
            rank(Standard::E2eMean, WIDE),
            |visits| Cell::Number(visits.mean(|level| &level.e2e_ms).map(|ms| ms / 1e3)),
        ),
    ]
}

/// The columns that are there for every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standard {
    Success,
    TtftMean,
    TtftP95,
    TpotMean,
    TpotP95,
    SpeedMean,
    E2eMean,
}

/// Which of these columns shows an objective's statistic; `None` where it needs one of its own.
fn standard(objective: &Objective) -> Option<Standard> {
    let is_p95 = |q: f64| (q - 0.95).abs() < 1e-9;
    Some(match (objective.metric, objective.stat) {
        (Metric::Success, _) => Standard::Success,
        (Metric::Ttft, Stat::Mean) => Standard::TtftMean,
        (Metric::Ttft, Stat::Quantile(q)) if is_p95(q) => Standard::TtftP95,
        (Metric::Tpot, Stat::Mean) => Standard::TpotMean,
        (Metric::Tpot, Stat::Quantile(q)) if is_p95(q) => Standard::TpotP95,
        (Metric::Speed, Stat::Mean) => Standard::SpeedMean,
        (Metric::E2e, Stat::Mean) => Standard::E2eMean,
        _ => return None,
    })
}

/// What the judge saw of an objective at each visit.
fn of_objective(objective: Objective, lang: Lang) -> Source {
    let (unit, suffix) = match objective.metric {
        Metric::Success | Metric::Goodput => ("%", "percent"),
        Metric::Speed => ("tok/s", "tok_per_s"),
        Metric::Ttft | Metric::Tpot | Metric::Itl | Metric::E2e => ("ms", "ms"),
    };
    let stat = match objective.stat {
        Stat::Mean => "mean_".to_owned(),
        Stat::Quantile(q) => format!("p{}_", crate::number::trimmed(q * 100.0)),
        Stat::Ratio => String::new(),
    };
    let key = format!("{}_{stat}{suffix}", objective.metric);
    let heading = words::objective_name(&objective, lang);
    Source::new((&key, &heading, unit), NEEDED, move |visits| {
        Cell::Quantile(visits.range(|level| value(level, &objective)))
    })
}

/// The statistic of an objective as the judge saw it; a share as a percentage.
fn value(level: &LevelSummary, objective: &Objective) -> Option<f64> {
    let value = statistic(level, objective)?;
    match objective.stat {
        Stat::Ratio => Some(value * 100.0),
        Stat::Mean | Stat::Quantile(_) => Some(value),
    }
}

fn kv_max(level: &LevelSummary) -> Option<f64> {
    level.server.as_ref()?.kv_used_ratio_max
}
