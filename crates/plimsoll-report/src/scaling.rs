//! Notes on how throughput follows the load: growth, knees, the law, efficiency.

use plimsoll_core::level::{LevelSummary, LevelVerdict};
use plimsoll_core::load::LoadUnit;
use plimsoll_core::run::Run;
use plimsoll_core::scaling::{Growth, KneeKind, Scaling, UslFit};
use plimsoll_core::verdict::Verdict;

use crate::lang::Lang;
use crate::load::counted;
use crate::number::figure;

/// What the levels say of throughput against load, one line for each idea.
pub(crate) fn scaling_notes(run: &Run, verdict: &Verdict, lang: Lang) -> Vec<String> {
    let scaling = &verdict.scaling;
    let lines = [
        growth(&scaling.growth, run.plan.unit(), lang),
        knees(scaling, run.plan.unit(), lang),
        efficiency(run, verdict, lang),
        scaling.usl.as_ref().map(|fit| law(fit, lang)),
    ];
    lines.into_iter().flatten().collect()
}

fn growth(pairs: &[Growth], unit: LoadUnit, lang: Lang) -> Option<String> {
    let pair = |one: &Growth| {
        let ratios = [one.per_doubling_ratio, one.lower_ratio, one.upper_ratio];
        let [observed, lower, upper] = ratios.map(signed_percent);
        let (from, to) = (one.from_streams, one.to_streams);
        format!("{from}→{to} {observed} % [{lower}, {upper}]")
    };
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    let text = pairs.join(lang.pick(", ", "，"));
    let counted = counted(unit, lang);
    (!pairs.is_empty()).then(|| {
        lang.pick(
            format!("Throughput per doubling of the {counted}, with its 95 % interval: {text}."),
            format!("{counted}每翻一倍的吞吐增长（方括号内为 95 % 区间）：{text}。"),
        )
    })
}

/// A whole percentage with its sign.
fn signed_percent(ratio: f64) -> String {
    let percent = (ratio * 100.0).round();
    if percent < 0.0 {
        format!("−{:.0}", -percent)
    } else {
        format!("+{:.0}", percent.abs())
    }
}

fn knees(scaling: &Scaling, unit: LoadUnit, lang: Lang) -> Option<String> {
    if scaling.growth.is_empty() {
        return None;
    }
    if scaling.knees.is_empty() {
        let text = lang.pick(
            "No knee: throughput had not levelled off at the highest load tested.",
            "没有拐点：测到最高一档时，吞吐仍未走平。",
        );
        return Some(text.to_owned());
    }
    let knee = |streams: u32, kind| format!("{streams} = {}", definition(kind, lang));
    let all = scaling.knees.iter();
    let mut all: Vec<String> = all.map(|one| knee(one.streams, one.kind)).collect();
    let has_peak = scaling
        .knees
        .iter()
        .any(|one| one.kind == KneeKind::PeakShare);
    if !has_peak {
        let text = lang.pick(
            "none by the highest throughput, which had not levelled off",
            "按最高吞吐定义的拐点未知，因为吞吐仍未走平",
        );
        all.push(text.to_owned());
    }
    let text = all.join(lang.pick("; ", "；"));
    let counted = match unit {
        LoadUnit::Streams => lang.pick("streams", "路数"),
        LoadUnit::Users | LoadUnit::RatePerS => counted(unit, lang),
    };
    Some(lang.pick(
        format!("Knee, in {counted}, by definition: {text}."),
        format!("拐点（{counted}）因定义而异：{text}。"),
    ))
}

fn definition(kind: KneeKind, lang: Lang) -> &'static str {
    match kind {
        KneeKind::SaturationTimesService => lang.pick(
            "highest throughput × request time at 1 stream",
            "最高吞吐 × 1 路时的请求耗时",
        ),
        KneeKind::PeakShare => lang.pick(
            "95 % of the highest throughput measured",
            "吞吐达到实测最高值的 95 %",
        ),
        KneeKind::Kneedle => lang.pick(
            "Kneedle (Satopaa et al. 2011)",
            "Kneedle 算法（Satopaa 等，2011）",
        ),
        KneeKind::UslPeak => lang.pick(
            "peak of the Universal Scalability Law",
            "通用扩展定律的峰值",
        ),
    }
}

/// The guide's efficiency at one stream and at the capacity, and why it names no optimum.
fn efficiency(run: &Run, verdict: &Verdict, lang: Lang) -> Option<String> {
    if run.plan.unit() != LoadUnit::Streams {
        return None;
    }
    let streams = verdict.capacity?.at.streams()?;
    let (first, last) = (per_stream(run, 1)?, per_stream(run, streams)?);
    (streams > 1).then(|| {
        let (first, last) = (figure(first), figure(last));
        lang.pick(
            format!(
                "Efficiency (throughput / streams) is {first} req/s per stream at 1 and {last} at \
                 {streams}. By Little's law it is 1 / request time, so its maximum is always at 1 \
                 stream: it is no optimum."
            ),
            format!(
                "并发效率（吞吐 ÷ 路数）：1 路时每路 {first} 请求/秒，{streams} 路时 {last}。\
                 按利特尔法则它等于 1 ÷ 请求耗时，最大值总在 1 路，不能当作最优并发。"
            ),
        )
    })
}

/// Requests per second of one stream, by the latest level at this load that is not void.
fn per_stream(run: &Run, streams: u32) -> Option<f64> {
    let sound = |level: &&LevelSummary| {
        level.load.streams() == Some(streams) && level.verdict != LevelVerdict::Void
    };
    let level = run.levels.iter().rev().find(sound)?;
    Some(level.request_per_s? / f64::from(streams))
}

fn law(fit: &UslFit, lang: Lang) -> String {
    let missed = |measured: f64, fitted: f64| (fitted / measured - 1.0).abs();
    let residuals = fit.residuals.iter();
    let most = residuals
        .map(|one| missed(one.request_per_s, one.fitted_request_per_s))
        .fold(0.0, f64::max);
    let most = figure(most * 100.0);
    let (gamma, alpha, beta) = (
        figure(fit.gamma_request_per_s),
        coefficient(fit.alpha),
        coefficient(fit.beta),
    );
    lang.pick(
        format!(
            "Universal Scalability Law, for the picture only, as it knows no cap on running \
             sequences: γ = {gamma} req/s, α = {alpha}, β = {beta}; off by {most} % at most."
        ),
        format!(
            "通用扩展定律（USL）拟合只用于作图，因为它没有并发上限这一项：\
             γ = {gamma} 请求/秒，α = {alpha}，β = {beta}；与实测最多相差 {most} %。"
        ),
    )
}

/// Two significant digits, for α and β may be very small.
fn coefficient(value: f64) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    let digits = (1.0 - value.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_keep_two_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.4213, "0.42"),
            (0.031_4, "0.031"),
            (0.000_123, "0.00012"),
            (1.26, "1.3"),
        ] {
            assert_eq!(coefficient(value), text);
        }
    }

    #[test]
    fn growth_has_a_sign() {
        assert_eq!(signed_percent(0.934), "+93");
        assert_eq!(signed_percent(-0.004), "+0");
        assert_eq!(signed_percent(-0.126), "−13");
    }
}
