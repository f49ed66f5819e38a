//! What a target needs.

use plimsoll_core::capacity_plan::{CapacityPlan, Demand, Inputs, Target};

use super::supply::{per_day_formula, tokens_formula};
use super::{Line, cycle, seconds, share, target};
use crate::lang::Lang;
use crate::number::amount;

/// What it needs, in a sentence; `None` where its streams are not known.
pub(super) fn sentence(demand: &Demand, lang: Lang) -> Option<String> {
    let who = target(demand.target, lang);
    let mean = amount(demand.mean_streams?, lang);
    let active = match demand.target {
        Target::Users(users) => demand
            .active_users
            .filter(|active| *active < users)
            .map(|active| amount(active, lang)),
        Target::RequestPerS(_) | Target::RequestPerDay(_) => None,
    };
    let active = active.map_or_else(String::new, |active| {
        lang.pick(
            format!(", {active} of them active,"),
            format!("（其中 {active} 名同时活跃）"),
        )
    });
    let head = lang.pick(
        format!("{who}{active} need {mean} streams in flight on the average"),
        format!("{who}{active}平均需要 {mean} 路并发"),
    );
    let tail = match (
        demand.servers.zip(demand.servers_with_spare),
        demand.cap_streams,
    ) {
        (Some((servers, with_spare)), _) => lang.pick(
            format!(
                " and {servers} {}; {with_spare} with one to spare.",
                if servers == 1 { "server" } else { "servers" }
            ),
            format!("，也就是 {servers} 台服务；留一台备用则 {with_spare} 台。"),
        ),
        (None, Some(cap)) => lang.pick(
            format!(": a gateway cap of {cap}."),
            format!("，网关上限 {cap} 路。"),
        ),
        (None, None) => lang.pick(".", "。").to_owned(),
    };
    Some(format!("{head}{tail}"))
}

/// Its heading and its lines.
pub(super) fn block(demand: &Demand, plan: &CapacityPlan, lang: Lang) -> (String, Vec<Line>) {
    let inputs = &plan.inputs;
    let who = target(demand.target, lang);
    let heading = lang.pick(format!("Target: {who}"), format!("目标：{who}"));
    let lines = [
        active_users(demand, inputs, lang),
        rate(demand, inputs, lang),
        streams(demand, inputs, lang),
        cap(demand, lang),
        request_per_day(demand, inputs, lang),
        tokens_per_day(demand, inputs, lang),
        servers(demand, plan, lang),
        with_spare(demand, lang),
        cost(demand, inputs, lang),
        cost_per_token(demand, lang),
    ];
    (heading, lines.into_iter().flatten().collect())
}

fn active_users(demand: &Demand, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let formula = match (demand.target, inputs.active_ratio) {
        (Target::Users(users), Some(ratio)) => {
            let (users, share) = (amount(users, lang), share(ratio, lang));
            lang.pick(
                format!("users × active share = {users} × {share}"),
                format!("用户数 × 活跃比例 = {users} × {share}"),
            )
        }
        (Target::Users(_), None) => lang
            .pick(
                "all of them; --active-share says how many are active at the peak",
                "全部用户；高峰时只有一部分活跃的，请给 --active-share",
            )
            .to_owned(),
        (Target::RequestPerS(_) | Target::RequestPerDay(_), _) => {
            let (rate, cycle) = (amount(demand.request_per_s?, lang), cycle(inputs, lang));
            lang.pick(
                format!("requests per s × (request time + think time) = {rate} × {cycle}"),
                format!("QPS ×（请求耗时 + 思考时间）= {rate} × {cycle}"),
            )
        }
    };
    Some(Line {
        label: lang.pick("active users", "同时活跃用户"),
        value: amount(demand.active_users?, lang),
        formula,
    })
}

fn rate(demand: &Demand, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let formula = match demand.target {
        Target::Users(_) => {
            let (active, cycle) = (amount(demand.active_users?, lang), cycle(inputs, lang));
            lang.pick(
                format!("active users ÷ (request time + think time) = {active} ÷ {cycle}"),
                format!("同时活跃用户 ÷（请求耗时 + 思考时间）= {active} ÷ {cycle}"),
            )
        }
        Target::RequestPerDay(requests) => {
            let (day, peak) = (amount(requests, lang), amount(inputs.peak_factor?, lang));
            lang.pick(
                format!("requests per day ÷ 86,400 s × peak factor = {day} ÷ 86,400 × {peak}"),
                format!("每天请求数 ÷ 86,400 秒 × 峰值系数 = {day} ÷ 86,400 × {peak}"),
            )
        }
        Target::RequestPerS(_) => return None,
    };
    Some(Line {
        label: lang.pick("requests per s", "每秒请求数（QPS）"),
        value: amount(demand.request_per_s?, lang),
        formula,
    })
}

fn streams(demand: &Demand, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let rate = amount(demand.request_per_s?, lang);
    let time = seconds(inputs.request_time.map(|time| time.s), lang);
    Some(Line {
        label: lang.pick("in flight, mean", "平均并发（路）"),
        value: amount(demand.mean_streams?, lang),
        formula: lang.pick(
            format!("requests per s × request time = {rate} × {time}"),
            format!("QPS × 请求耗时 = {rate} × {time}"),
        ),
    })
}

fn cap(demand: &Demand, lang: Lang) -> Option<Line> {
    let mean = amount(demand.mean_streams?, lang);
    Some(Line {
        label: lang.pick("gateway cap, one pool", "网关上限（单一资源池）"),
        value: amount(f64::from(demand.cap_streams?), lang),
        formula: lang.pick(
            format!("the smallest cap whose planned mean is {mean} or more"),
            format!("可规划的平均并发不低于 {mean} 路的最小上限"),
        ),
    })
}

fn request_per_day(demand: &Demand, inputs: &Inputs, lang: Lang) -> Option<Line> {
    if matches!(demand.target, Target::RequestPerDay(_)) {
        return None;
    }
    let rate = amount(demand.request_per_s?, lang);
    let peak = amount(inputs.peak_factor?, lang);
    Some(Line {
        label: lang.pick("requests per day", "每天请求数"),
        value: amount(demand.request_per_day?, lang),
        formula: per_day_formula(&rate, &peak, lang),
    })
}

fn tokens_per_day(demand: &Demand, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let requests = amount(demand.request_per_day?, lang);
    let tokens = amount(inputs.tokens_per_request?.total, lang);
    Some(Line {
        label: lang.pick("tokens per day", "每天 token 数"),
        value: amount(demand.tokens_per_day?, lang),
        formula: tokens_formula(&requests, &tokens, lang),
    })
}

fn servers(demand: &Demand, plan: &CapacityPlan, lang: Lang) -> Option<Line> {
    let mean = amount(demand.mean_streams?, lang);
    let each = amount(plan.supply.as_ref()?.mean_streams, lang);
    Some(Line {
        label: lang.pick("servers", "服务台数"),
        value: demand.servers?.to_string(),
        formula: lang.pick(
            format!("in flight ÷ that of one server, rounded up = {mean} ÷ {each}"),
            format!("平均并发 ÷ 每台的平均并发，向上取整 = {mean} ÷ {each}"),
        ),
    })
}

fn with_spare(demand: &Demand, lang: Lang) -> Option<Line> {
    let servers = demand.servers?;
    Some(Line {
        label: lang.pick("with one to spare", "留一台备用（N−1）"),
        value: demand.servers_with_spare?.to_string(),
        formula: lang.pick(
            format!("{servers} + 1: one may fail, and the others carry no more than planned"),
            format!("{servers} + 1：坏一台时，其余各台仍不超出规划"),
        ),
    })
}

fn cost(demand: &Demand, inputs: &Inputs, lang: Lang) -> Option<Line> {
    let servers = demand.servers_with_spare?;
    let gpus = inputs.gpus_per_server?;
    let price = amount(inputs.gpu_price_per_h?, lang);
    Some(Line {
        label: lang.pick("cost per hour", "每小时成本"),
        value: amount(demand.cost_per_h?, lang),
        formula: lang.pick(
            format!("servers with the spare × GPUs × price = {servers} × {gpus} × {price}"),
            format!("台数（含备用）× 每台 GPU 数 × 单价 = {servers} × {gpus} × {price}"),
        ),
    })
}

fn cost_per_token(demand: &Demand, lang: Lang) -> Option<Line> {
    let cost = amount(demand.cost_per_h?, lang);
    let tokens = amount(demand.tokens_per_day? / 1e6, lang);
    Some(Line {
        label: lang.pick("cost per million tokens", "每百万 token 成本"),
        value: amount(demand.cost_per_million_tokens?, lang),
        formula: lang.pick(
            format!("cost of a day ÷ million tokens per day = {cost} × 24 ÷ {tokens}"),
            format!("每天成本 ÷ 每天百万 token 数 = {cost} × 24 ÷ {tokens}"),
        ),
    })
}
