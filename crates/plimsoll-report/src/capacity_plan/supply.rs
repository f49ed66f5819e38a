//! What one server carries.

use plimsoll_core::capacity_plan::{Inputs, RequestTime, Supply, TimeSource};

use super::{Line, cycle, seconds, share};
use crate::lang::Lang;
use crate::number::{amount, figure, percent, trimmed};

/// What it carries, in a sentence; `None` where only its planned mean is known.
pub(super) fn sentence(supply: &Supply, lang: Lang) -> Option<String> {
    let cap = supply.cap_streams;
    let mean = amount(supply.mean_streams, lang);
    let rate = amount(supply.request_per_s?, lang);
    let users = supply.active_users.map(|users| amount(users, lang));
    Some(match (lang, users) {
        (Lang::En, Some(users)) => format!(
            "One server with a cap of {cap} carries {users} active users: {rate} requests per \
             second, with {mean} in flight on the average."
        ),
        (Lang::En, None) => format!(
            "One server with a cap of {cap} carries {rate} requests per second, with {mean} in \
             flight on the average."
        ),
        (Lang::Zh, Some(users)) => format!(
            "一台上限 {cap} 路的服务可承载 {users} 名同时活跃的用户：每秒 {rate} 个请求，平均并发 {mean} 路。"
        ),
        (Lang::Zh, None) => {
            format!("一台上限 {cap} 路的服务每秒可承载 {rate} 个请求，平均并发 {mean} 路。")
        }
    })
}

/// Its heading and its lines.
pub(super) fn block(supply: &Supply, inputs: &Inputs, lang: Lang) -> (String, Vec<Line>) {
    let heading = lang.pick(
        format!("One server, gateway cap {}", supply.cap_streams),
        format!("一台服务，网关上限 {} 路", supply.cap_streams),
    );
    let lines = [
        Some(planned_mean(supply, inputs, lang)),
        safe_mean(supply, inputs, lang),
        inputs.request_time.and_then(|time| measured(time, lang)),
        rate(supply, inputs, lang),
        active_users(supply, inputs, lang),
        users(supply, inputs, lang),
        request_per_day(supply, inputs, lang),
        tokens_per_day(supply, inputs, lang),
        cost(supply, inputs, lang),
        output_cost(supply, inputs, lang),
    ];
    (heading, lines.into_iter().flatten().collect())
}

fn planned_mean(supply: &Supply, inputs: &Inputs, lang: Lang) -> Line {
    let (cap, mean) = (supply.cap_streams, supply.planned_mean);
    let headroom = percent(inputs.headroom_ratio);
    let over = figure(mean.exceeds_cap_ratio * 100.0);
    let exceed = trimmed(inputs.exceed_ratio * 100.0);
    Line {
        label: lang.pick("in flight, mean", "平均并发（路）"),
        value: trimmed(mean.streams),
        formula: lang.pick(
            format!(
                "at most {headroom} % × {cap}, and such that more than {cap} are in flight at most \
                 {exceed} % of the time (here {over} %)"
            ),
            format!(
                "不超过 {headroom} % × {cap}，且在途超过 {cap} 路的时间不超过 {exceed} %（此处为 {over} %）"
            ),
        ),
    }
}

/// Where requests queue, and less than the planned mean is safe.
fn safe_mean(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let safe = inputs.queueing_mean_streams?;
    let cap = supply.cap_streams;
    let exceed = trimmed(inputs.exceed_ratio * 100.0);
    Some(Line {
        label: lang.pick("… by its queue", "……按排队情况"),
        value: amount(safe, lang),
        formula: lang.pick(
            format!(
                "throughput hardly grows up to the cap: with more, users who arrive at random would \
                 exceed {cap} in flight more than {exceed} % of the time, or wait longer than the \
                 objectives allow"
            ),
            format!(
                "接近上限时吞吐已几乎不增长：平均并发再高，随机到达的用户会使在途超过 {cap} 路的时间多于 {exceed} %，或等待超出目标所允许的时间"
            ),
        ),
    })
}

/// The request time, where it was read off a run.
fn measured(time: RequestTime, lang: Lang) -> Option<Line> {
    let formula = match time.source {
        TimeSource::Given => return None,
        TimeSource::Between(below, above) if below == above => lang.pick(
            format!("measured at {below}"),
            format!("{below} 路时的实测值"),
        ),
        TimeSource::Between(below, above) => lang.pick(
            format!("measured at {below} and {above} streams, on the line between them"),
            format!("由 {below} 路和 {above} 路的实测值线性插值"),
        ),
    };
    Some(Line {
        label: lang.pick("request time", "请求耗时"),
        value: seconds(Some(time.s), lang),
        formula,
    })
}

fn rate(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let mean = amount(supply.mean_streams, lang);
    let time = seconds(inputs.request_time.map(|time| time.s), lang);
    Some(Line {
        label: lang.pick("requests per s", "每秒请求数（QPS）"),
        value: amount(supply.request_per_s?, lang),
        formula: lang.pick(
            format!("in flight ÷ request time = {mean} ÷ {time}"),
            format!("并发 ÷ 请求耗时 = {mean} ÷ {time}"),
        ),
    })
}

fn active_users(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let rate = amount(supply.request_per_s?, lang);
    let cycle = cycle(inputs, lang);
    Some(Line {
        label: lang.pick("active users", "同时活跃用户"),
        value: amount(supply.active_users?, lang),
        formula: lang.pick(
            format!("requests per s × (request time + think time) = {rate} × {cycle}"),
            format!("QPS ×（请求耗时 + 思考时间）= {rate} × {cycle}"),
        ),
    })
}

fn users(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let active = amount(supply.active_users?, lang);
    let share = share(inputs.active_ratio?, lang);
    Some(Line {
        label: lang.pick("users", "用户总数"),
        value: amount(supply.users?, lang),
        formula: lang.pick(
            format!("active users ÷ active share = {active} ÷ {share}"),
            format!("同时活跃用户 ÷ 活跃比例 = {active} ÷ {share}"),
        ),
    })
}

fn request_per_day(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let rate = amount(supply.request_per_s?, lang);
    let peak = amount(inputs.peak_factor?, lang);
    Some(Line {
        label: lang.pick("requests per day", "每天请求数"),
        value: amount(supply.request_per_day?, lang),
        formula: per_day_formula(&rate, &peak, lang),
    })
}

pub(super) fn per_day_formula(rate: &str, peak: &str, lang: Lang) -> String {
    lang.pick(
        format!("requests per s × 86,400 s ÷ peak factor = {rate} × 86,400 ÷ {peak}"),
        format!("QPS × 86,400 秒 ÷ 峰值系数 = {rate} × 86,400 ÷ {peak}"),
    )
}

fn tokens_per_day(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let requests = amount(supply.request_per_day?, lang);
    let tokens = amount(inputs.tokens_per_request?.total, lang);
    Some(Line {
        label: lang.pick("tokens per day", "每天 token 数"),
        value: amount(supply.tokens_per_day?, lang),
        formula: tokens_formula(&requests, &tokens, lang),
    })
}

pub(super) fn tokens_formula(requests: &str, tokens: &str, lang: Lang) -> String {
    lang.pick(
        format!("requests per day × tokens per request = {requests} × {tokens}"),
        format!("每天请求数 × 每个请求的 token 数 = {requests} × {tokens}"),
    )
}

fn cost(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let division = cost_division(supply, inputs, inputs.tokens_per_request?.total, lang)?;
    Some(Line {
        label: lang.pick("cost per million tokens", "每百万 token 成本"),
        value: amount(supply.cost_per_million_tokens?, lang),
        formula: lang.pick(
            format!(
                "price of an hour ÷ million tokens of an hour, busy all day = {division}; prompts \
                 and answers"
            ),
            format!("每小时价格 ÷ 每小时百万 token 数（全天满载）= {division}；含输入和输出"),
        ),
    })
}

fn output_cost(supply: &Supply, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let division = cost_division(supply, inputs, inputs.tokens_per_request?.output?, lang)?;
    Some(Line {
        label: lang.pick("cost per million output", "每百万输出 token 成本"),
        value: amount(supply.cost_per_million_output_tokens?, lang),
        formula: lang.pick(
            format!("if the tokens of answers alone are counted = {division}"),
            format!("只计输出 token = {division}"),
        ),
    })
}

/// `8 × 2.5 ÷ (4.051 × 3600 × 640 ÷ 10⁶)`.
fn cost_division(supply: &Supply, inputs: &Inputs, tokens: f64, lang: Lang) -> Option<String> {
    Some(format!(
        "{} × {} ÷ ({} × 3600 × {} ÷ 10⁶)",
        inputs.gpus_per_server?,
        amount(inputs.gpu_price_per_h?, lang),
        amount(supply.request_per_s?, lang),
        amount(tokens, lang)
    ))
}
