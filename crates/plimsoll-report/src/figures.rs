//! The pictures of a run.

use plimsoll_core::level::{LevelSummary, LevelVerdict, Load};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::run::Run;
use plimsoll_core::scaling::{KneeKind, Scaling, UslResidual};
use plimsoll_core::slo::{Metric, Op, Stat};
use plimsoll_core::verdict::VerdictKind;

use crate::lang::Lang;
use crate::plot::{Figure, Format, Marks, PlotError, PlotInput, PlotPoint, PointVerdict, render};

/// The law is drawn through this many steps.
const LAW_STEPS: u32 = 60;

/// What the pictures of a run show: one point for each load, from its latest visit that is not
/// void, and the marks of the verdict.
pub fn plot_input(run: &Run) -> PlotInput {
    PlotInput {
        title_note: title_note(run),
        unit: run.plan.unit(),
        points: latest_by_load(run).into_iter().map(point).collect(),
        marks: marks(run),
        law: law(run).unwrap_or_default(),
    }
}

/// Every picture as the name and the bytes of a file: `load-line`, `throughput` and, of streams,
/// `efficiency`, each as `.png` and `.svg`.
pub fn figures(run: &Run, lang: Lang) -> Result<Vec<(String, Vec<u8>)>, PlotError> {
    drawn(&plot_input(run), lang)
}

/// The same of a document, which has what they show.
pub fn drawn(input: &PlotInput, lang: Lang) -> Result<Vec<(String, Vec<u8>)>, PlotError> {
    let mut names = vec![
        ("load-line", Figure::LoadLine),
        ("throughput", Figure::Throughput),
    ];
    // Throughput over users, or over the rate that arrives, is no efficiency.
    if input.unit == LoadUnit::Streams {
        names.push(("efficiency", Figure::Efficiency));
    }
    let formats = [("png", Format::Png), ("svg", Format::Svg)];
    let mut files = Vec::with_capacity(names.len() * formats.len());
    for (name, figure) in names {
        for (extension, format) in formats {
            let bytes = render(figure, input, lang, format)?;
            files.push((format!("{name}.{extension}"), bytes));
        }
    }
    Ok(files)
}

fn title_note(run: &Run) -> String {
    let kind = run.server.kind.clone();
    let parts: Vec<String> = [
        Some(run.server.model.clone()),
        kind,
        Some(run.plan.slo.to_string()),
    ]
    .into_iter()
    .flatten()
    .filter(|part| !part.is_empty())
    .collect();
    parts.join(" · ")
}

/// The latest visit of each load of the run's axis that is not void; a void one where there is no
/// other.
fn latest_by_load(run: &Run) -> Vec<&LevelSummary> {
    let unit = run.plan.unit();
    let mut latest: Vec<&LevelSummary> = Vec::new();
    for level in run.levels.iter().filter(|level| level.counts(unit)) {
        match latest.iter_mut().find(|known| known.load == level.load) {
            None => latest.push(level),
            Some(known)
                if level.verdict != LevelVerdict::Void || known.verdict == LevelVerdict::Void =>
            {
                *known = level;
            }
            Some(_) => {}
        }
    }
    latest
}

fn point(level: &LevelSummary) -> PlotPoint {
    PlotPoint {
        load: level.load.amount(),
        request_per_s: level.request_per_s,
        output_tokens_per_s: level.output_tokens_per_s,
        ttft_mean_ms: level.ttft_ms.mean,
        ttft_p95_ms: level.ttft_ms.p95,
        verdict: match level.verdict {
            LevelVerdict::Pass => PointVerdict::Pass,
            LevelVerdict::Fail => PointVerdict::Fail,
            LevelVerdict::Undecided => PointVerdict::Undecided,
            LevelVerdict::Screened => PointVerdict::Screened,
            LevelVerdict::Void => PointVerdict::Void,
        },
    }
}

/// The law fitted to the levels, between the lowest and the highest of them.
fn law(run: &Run) -> Option<Vec<(f64, f64)>> {
    let fit = scaling(run)?.usl.as_ref()?;
    let streams = |one: &UslResidual| f64::from(one.streams);
    let (first, last) = (
        streams(fit.residuals.first()?),
        streams(fit.residuals.last()?),
    );
    let at = |step: u32| first * (last / first).powf(f64::from(step) / f64::from(LAW_STEPS));
    let points = (0..=LAW_STEPS).map(at);
    Some(points.map(|n| (n, fit.request_per_s(n))).collect())
}

fn marks(run: &Run) -> Marks {
    let ttft_bound_ms = ttft_bound_ms(run);
    let Some(verdict) = &run.verdict else {
        return Marks {
            ttft_bound_ms,
            ..Marks::default()
        };
    };
    // Where a stop rule ended the ramp the ends are two rungs, not a confidence interval.
    let answer = verdict.answer();
    let interval = answer.filter(|_| {
        !matches!(
            verdict.kind,
            VerdictKind::DiminishingReturns | VerdictKind::ResourcesExhausted
        )
    });
    Marks {
        capacity: answer.map(|one| one.at.amount()),
        capacity_lower: interval.map(|one| one.lower.amount()),
        capacity_upper: interval.and_then(|one| one.upper).map(Load::amount),
        cap: verdict.recommended.map(|one| one.cap.amount()),
        planned_mean: verdict.recommended.map(|one| one.mean_amount),
        knee: knee(run),
        saturation: verdict.saturation_rate_per_s,
        ttft_bound_ms,
    }
}

/// Knees and law, where they are of the loads that are drawn.
fn scaling(run: &Run) -> Option<&Scaling> {
    let verdict = run.verdict.as_ref()?;
    (run.plan.unit() != LoadUnit::RatePerS).then_some(&verdict.scaling)
}

fn knee(run: &Run) -> Option<f64> {
    let mut knees = scaling(run)?.knees.iter();
    knees
        .find(|one| one.kind == KneeKind::PeakShare)
        .map(|one| f64::from(one.streams))
}

/// The bound on TTFT; that of a quantile where there are several, as the curve is one.
fn ttft_bound_ms(run: &Run) -> Option<f64> {
    let bounds = || {
        run.plan
            .slo
            .0
            .iter()
            .filter(|one| one.metric == Metric::Ttft && one.op == Op::AtMost)
    };
    bounds()
        .find(|one| matches!(one.stat, Stat::Quantile(_)))
        .or_else(|| bounds().next())
        .map(|one| one.bound)
}
