//! The labelled lines of a check: what was asked, and what was found.

use plimsoll_core::check::{Check, Flow, Little};
use plimsoll_core::level::Alarm;
use plimsoll_core::run::{HoldPlan, RunPlan};
use plimsoll_core::stability::{Drift, Spread, Stability};

use crate::lang::Lang;
use crate::lengths::lengths;
use crate::load::{load_text, think_text};
use crate::number::{cell, duration, figure, percent, percent_down, trimmed};
use crate::words;

/// Fewer that wait in the client are not worth a line.
const LEAST_WAITING: f64 = 0.05;

/// Little's law that may be off by more than this says nothing.
const MOST_TOLERANCE: f64 = 0.25;

/// A text behind its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is, for people.
    pub name: &'static str,
    /// Its value in words.
    pub text: String,
}

/// What was asked for.
pub(super) fn asked(check: Check<'_>, lang: Lang) -> Vec<Row> {
    let plan = &check.run.plan;
    let server = match &check.run.server.kind {
        Some(kind) => format!("{} ({kind})", plan.target),
        None => plan.target.clone(),
    };
    let measured = check.run.server.prompt_tokens_measured;
    let known = [
        row(("Server", "服务端"), server, lang),
        row(("Model", "模型"), check.run.server.model.clone(), lang),
    ];
    known
        .into_iter()
        .chain(planned(plan, check.hold, measured, lang))
        .collect()
}

/// What is known before any request.
pub(super) fn planned(
    plan: &RunPlan,
    hold: &HoldPlan,
    prompt_tokens: Option<f64>,
    lang: Lang,
) -> Vec<Row> {
    let laws = (plan.input_len, plan.output_len);
    let lengths = lengths(plan.workload.as_deref(), laws, prompt_tokens, lang);
    let preset = plan.preset.map(|preset| match lang {
        Lang::En => preset.to_string(),
        Lang::Zh => format!("{preset}（{}）", preset.name_zh()),
    });
    preset
        .map(|text| row(("Preset", "预设"), text, lang))
        .into_iter()
        .chain([
            row(("Load", "负载"), load(plan, hold, lang), lang),
            row(("Lengths", "长度"), lengths, lang),
            row(("Objectives", "目标"), words::slo(&plan.slo, lang), lang),
        ])
        .collect()
}

pub(super) fn row((en, zh): (&'static str, &'static str), text: String, lang: Lang) -> Row {
    Row {
        name: lang.pick(en, zh),
        text,
    }
}

fn load(plan: &RunPlan, hold: &HoldPlan, lang: Lang) -> String {
    let mut parts = vec![load_text(hold.load, lang)];
    parts.extend(plan.think_time_s.map(|think_s| think_text(think_s, lang)));
    if hold.load.rate_per_s().is_some() {
        parts.push(arrivals(hold, lang));
    }
    if let Some(cap) = hold.most_in_flight {
        parts.push(lang.pick(
            format!("at most {cap} in flight"),
            format!("在途不超过 {cap} 个"),
        ));
    }
    let time = duration(hold.for_s, lang);
    parts.push(match hold.until_requests {
        None => lang.pick(format!("held for {time}"), format!("保持 {time}")),
        Some(requests) => lang.pick(
            format!("held until {requests} requests have ended, {time} at most"),
            format!("保持到 {requests} 个请求完成，最长 {time}"),
        ),
    });
    parts.join(lang.pick(", ", "，"))
}

fn arrivals(hold: &HoldPlan, lang: Lang) -> String {
    match hold.burstiness {
        Some(1.0) => lang.pick("Poisson arrivals", "泊松到达").to_owned(),
        Some(shape) => lang.pick(
            format!("arrivals of burstiness {shape}"),
            format!("到达间隔的形状参数为 {shape}"),
        ),
        None => lang.pick("constant gaps", "等间隔到达").to_owned(),
    }
}

/// What was found.
pub(super) fn found(check: Check<'_>, lang: Lang) -> Vec<Row> {
    let Some(flow) = &check.answer.flow else {
        return Vec::new();
    };
    let row = |en, zh, text| Row {
        name: lang.pick(en, zh),
        text,
    };
    let mut rows = vec![
        row("Rate", "速率", rate(check, flow, lang)),
        row("In flight", "在途", spread(&flow.in_flight, lang)),
    ];
    if check.hold.most_in_flight.is_some() || flow.waiting.mean >= LEAST_WAITING {
        let text = lang.pick(
            format!(
                "{} in the client, at its own cost",
                spread(&flow.waiting, lang)
            ),
            format!("{}（在客户端，等待计入时延）", spread(&flow.waiting, lang)),
        );
        rows.push(row("Waiting", "排队", text));
    }
    if let (Some(law), Some(time)) = (&flow.little, flow.request_time_s) {
        rows.push(row("Little's law", "利特尔法则", little(law, time, lang)));
    }
    if let Some(guide) = guide(check, flow) {
        rows.push(row("The guide", "指南公式", guide));
    }
    if let Some(stability) = &check.level.stability {
        rows.push(row("Stability", "稳定性", drift(stability, lang)));
    }
    rows.extend(thirds(flow, lang).map(|text| row("Over time", "随时间", text)));
    let alarms = check.level.alarms.iter();
    rows.extend(
        alarms
            .filter_map(|alarm| drifting(alarm, lang))
            .map(|text| row("Drift", "漂移", text)),
    );
    rows.extend(server(check, lang).map(|text| row("Signals", "服务端指标", text)));
    rows
}

fn rate(check: Check<'_>, flow: &Flow, lang: Lang) -> String {
    let (due, ended) = (figure(flow.due_per_s), figure(flow.ended_per_s));
    let success = check.level.success_ratio.map(percent_down);
    let success = success.map_or(String::new(), |success| {
        lang.pick(
            format!(", {success} % of them succeeded"),
            format!("，其中 {success} % 成功"),
        )
    });
    match check.hold.load.rate_per_s() {
        Some(_) => lang.pick(
            format!("{due} req/s came, {ended} req/s ended{success}"),
            format!("到达 {due} 请求/秒，完成 {ended} 请求/秒{success}"),
        ),
        None => lang.pick(
            format!("{ended} req/s{success}"),
            format!("{ended} 请求/秒{success}"),
        ),
    }
}

fn spread(spread: &Spread, lang: Lang) -> String {
    let Spread {
        mean,
        p50,
        p95,
        p99,
        max,
    } = spread;
    let mean = trimmed(*mean);
    lang.pick(
        format!("mean {mean}, p50 {p50}, p95 {p95}, p99 {p99}, max {max}"),
        format!("平均 {mean}，p50 {p50}，p95 {p95}，p99 {p99}，最大 {max}"),
    )
}

fn little(little: &Little, time_s: f64, lang: Lang) -> String {
    let (law, measured) = (trimmed(little.by_law), trimmed(little.measured));
    let (time, within) = (cell(time_s), trimmed(little.tolerance_ratio * 100.0));
    let rate = cell(little.by_law / time_s);
    if little.tolerance_ratio > MOST_TOLERANCE {
        return lang.pick(
            format!("{rate} req/s × {time} s = {law}; measured {measured}, over too few request times to compare"),
            format!("{rate} 请求/秒 × {time} 秒 = {law}；实测 {measured}，时长只有几个请求耗时，无从比较"),
        );
    }
    match (little.agrees, lang) {
        (true, Lang::En) => {
            format!("{rate} req/s × {time} s = {law}; measured {measured}, within {within} %")
        }
        (false, Lang::En) => format!(
            "{rate} req/s × {time} s = {law}; measured {measured}, not within {within} %: the window is not steady"
        ),
        (true, Lang::Zh) => {
            format!("{rate} 请求/秒 × {time} 秒 = {law}；实测 {measured}，相差不超过 {within} %")
        }
        (false, Lang::Zh) => format!(
            "{rate} 请求/秒 × {time} 秒 = {law}；实测 {measured}，相差超过 {within} %：窗口内不平稳"
        ),
    }
}

/// min(cap, rate × mean time).
fn guide(check: Check<'_>, flow: &Flow) -> Option<String> {
    let (rate, time) = (check.hold.load.rate_per_s()?, flow.request_time_s?);
    let by_guide = trimmed(flow.guide_concurrency?);
    let product = format!("{} × {}", trimmed(rate), cell(time));
    Some(match check.hold.most_in_flight {
        Some(cap) => format!("min({cap}, {product}) = {by_guide}"),
        None => format!("{product} = {by_guide}"),
    })
}

fn drift(stability: &Stability, lang: Lang) -> String {
    let trend = &stability.trend;
    let (first, last) = (figure(trend.first_mean), figure(trend.last_mean));
    let n = stability.arrivals;
    let bound = trend.growth_upper_ratio.map(|ratio| trimmed(ratio * 100.0));
    let bound = bound.map_or(String::new(), |bound| {
        lang.pick(
            format!("; requests in flight grow by less than {bound} % of the rate (95 %)"),
            format!("；在途请求的增长低于速率的 {bound} %（95 %）"),
        )
    });
    match stability.drift {
        Drift::Unstable => lang.pick(
            format!("unstable: {first} at a time in the first 30 % of the time, {last} in the last"),
            format!("不稳定：前 30 % 时间内平均 {first} 个，后 30 % 内平均 {last} 个"),
        ),
        Drift::Grew => lang.pick(
            format!("grew from {first} to {last} at a time, over fewer than 50 request times: too short to tell"),
            format!("由平均 {first} 个增至 {last} 个，但时长不到 50 个请求耗时，不足以判定"),
        ),
        Drift::Steady => lang.pick(format!("no drift{bound}"), format!("未见漂移{bound}")),
        Drift::NoSign => lang.pick(
            format!("no sign of drift in {n} requests, fewer than 50 request times{bound}"),
            format!("{n} 个请求中未见漂移迹象，但时长不到 50 个请求耗时{bound}"),
        ),
    }
}

fn thirds(flow: &Flow, lang: Lang) -> Option<String> {
    let [first, last] = &flow.thirds;
    let pair = |a: Option<f64>, b: Option<f64>| Some(format!("{} → {} ms", figure(a?), figure(b?)));
    let parts: Vec<String> = [
        ("TTFT", pair(first.ttft_mean_ms, last.ttft_mean_ms)),
        ("TPOT", pair(first.tpot_mean_ms, last.tpot_mean_ms)),
        ("E2E", pair(first.e2e_mean_ms, last.e2e_mean_ms)),
    ]
    .into_iter()
    .filter_map(|(name, text)| Some(format!("{name} {}", text?)))
    .collect();
    let text = parts.join(lang.pick(", ", "，"));
    (!parts.is_empty()).then(|| {
        lang.pick(
            format!("{text} (means of the first and the last third)"),
            format!("{text}（前三分之一与后三分之一的平均值）"),
        )
    })
}

fn drifting(alarm: &Alarm, lang: Lang) -> Option<String> {
    let Alarm::Drifting {
        metric,
        first_mean_ms,
        last_mean_ms,
    } = alarm
    else {
        return None;
    };
    let (first, last) = (figure(*first_mean_ms), figure(*last_mean_ms));
    Some(lang.pick(
        format!("{metric} drifts, and not by chance: {first} → {last} ms"),
        format!("{metric} 有显著漂移：{first} → {last} ms"),
    ))
}

fn server(check: Check<'_>, lang: Lang) -> Option<String> {
    let server = check.level.server.as_ref().filter(|one| one.samples > 0)?;
    let parts: Vec<String> = [
        server.running_mean.map(|mean| {
            lang.pick(
                format!("running {}", figure(mean)),
                format!("运行 {}", figure(mean)),
            )
        }),
        server.waiting_mean.map(|mean| {
            lang.pick(
                format!("waiting {}", figure(mean)),
                format!("排队 {}", figure(mean)),
            )
        }),
        server.kv_used_ratio_max.map(|ratio| {
            lang.pick(
                format!("KV cache at most {} %", percent(ratio)),
                format!("KV 缓存峰值 {} %", percent(ratio)),
            )
        }),
        server
            .preemptions
            .map(|count| lang.pick(format!("{count} preemptions"), format!("抢占 {count} 次"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(lang.pick(", ", "，")))
}
