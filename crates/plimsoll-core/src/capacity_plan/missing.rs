//! Which lines of a plan are absent, and what each of them needs.

use serde::Serialize;

use super::{Inputs, Target};

/// A line of a plan that may be absent. A line of [`super::Supply`] or [`super::Demand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanLine {
    /// What one server carries: its planned mean.
    Supply,
    /// Requests per second of one server.
    SupplyRequestPerS,
    /// Active users of one server.
    SupplyActiveUsers,
    /// Users of one server.
    SupplyUsers,
    /// Requests per day of one server.
    SupplyRequestPerDay,
    /// Tokens per day of one server.
    SupplyTokensPerDay,
    /// Cost of its tokens.
    SupplyCost,
    /// What a target needs.
    Demand,
    /// Requests per second of the target.
    DemandRequestPerS,
    /// Mean number in flight of the target, and the cap for it.
    DemandStreams,
    /// Active users of a target in requests.
    DemandActiveUsers,
    /// Requests per day of the target.
    DemandRequestPerDay,
    /// Tokens per day of the target.
    DemandTokensPerDay,
    /// Servers for the target.
    DemandServers,
    /// Cost of the servers.
    DemandCost,
    /// Cost of the target's tokens.
    DemandCostPerToken,
}

/// An input that may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Gateway cap of one server.
    Cap,
    /// Mean request time.
    RequestTime,
    /// Think time.
    ThinkTime,
    /// Active share of the users.
    ActiveShare,
    /// Peak factor.
    PeakFactor,
    /// Tokens of a request.
    TokensPerRequest,
    /// Price of a GPU for an hour.
    GpuPrice,
    /// GPUs of one server.
    Gpus,
    /// What is to be served.
    Target,
}

/// A line that is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Which one.
    pub line: PlanLine,
    /// All that it needs and was not given.
    pub needs: Vec<Input>,
}

/// The absent lines, in the order of the plan.
pub(super) fn missing(inputs: &Inputs) -> Vec<Missing> {
    lines(inputs)
        .into_iter()
        .filter_map(|(line, needs)| {
            let needs: Vec<Input> = needs
                .into_iter()
                .filter(|input| !is_given(inputs, *input))
                .collect();
            (!needs.is_empty()).then_some(Missing { line, needs })
        })
        .collect()
}

fn is_given(inputs: &Inputs, input: Input) -> bool {
    match input {
        Input::Cap => inputs.cap_streams.is_some(),
        Input::RequestTime => inputs.request_time.is_some(),
        Input::ThinkTime => inputs.think_time_s.is_some(),
        Input::ActiveShare => inputs.active_ratio.is_some(),
        Input::PeakFactor => inputs.peak_factor.is_some(),
        Input::TokensPerRequest => inputs.tokens_per_request.is_some(),
        Input::GpuPrice => inputs.gpu_price_per_h.is_some(),
        Input::Gpus => inputs.gpus_per_server.is_some(),
        Input::Target => inputs.target.is_some(),
    }
}

/// Every line with all that it needs. What one server carries is one line until its cap is known,
/// and what a target needs is one until there is a target.
pub(super) fn lines(inputs: &Inputs) -> Vec<(PlanLine, Vec<Input>)> {
    let mut lines = match inputs.cap_streams {
        None => vec![(PlanLine::Supply, vec![Input::Cap])],
        Some(_) => supply_lines(),
    };
    match inputs.target {
        None => lines.push((PlanLine::Demand, vec![Input::Target])),
        Some(target) => lines.extend(demand_lines(target)),
    }
    lines
}

fn supply_lines() -> Vec<(PlanLine, Vec<Input>)> {
    use Input::{
        ActiveShare, GpuPrice, Gpus, PeakFactor, RequestTime, ThinkTime, TokensPerRequest,
    };
    vec![
        (PlanLine::SupplyRequestPerS, vec![RequestTime]),
        (PlanLine::SupplyActiveUsers, vec![RequestTime, ThinkTime]),
        (
            PlanLine::SupplyUsers,
            vec![RequestTime, ThinkTime, ActiveShare],
        ),
        (PlanLine::SupplyRequestPerDay, vec![RequestTime, PeakFactor]),
        (
            PlanLine::SupplyTokensPerDay,
            vec![RequestTime, PeakFactor, TokensPerRequest],
        ),
        (
            PlanLine::SupplyCost,
            vec![RequestTime, TokensPerRequest, GpuPrice, Gpus],
        ),
    ]
}

fn demand_lines(target: Target) -> Vec<(PlanLine, Vec<Input>)> {
    use Input::{Cap, GpuPrice, Gpus, PeakFactor, RequestTime, ThinkTime, TokensPerRequest};
    let rate = match target {
        Target::Users(_) => vec![RequestTime, ThinkTime],
        Target::RequestPerS(_) => vec![],
        Target::RequestPerDay(_) => vec![PeakFactor],
    };
    let day = match target {
        Target::RequestPerDay(_) => vec![],
        Target::Users(_) | Target::RequestPerS(_) => with(&rate, &[PeakFactor]),
    };
    let streams = with(&rate, &[RequestTime]);
    let servers = with(&streams, &[Cap]);
    let cost = with(&servers, &[GpuPrice, Gpus]);
    let mut lines = vec![
        (PlanLine::DemandRequestPerS, rate.clone()),
        (PlanLine::DemandStreams, streams),
        (PlanLine::DemandRequestPerDay, day.clone()),
        (
            PlanLine::DemandTokensPerDay,
            with(&day, &[TokensPerRequest]),
        ),
        (PlanLine::DemandServers, servers),
        (
            PlanLine::DemandCostPerToken,
            with(&with(&cost, &day), &[TokensPerRequest]),
        ),
        (PlanLine::DemandCost, cost),
    ];
    if !matches!(target, Target::Users(_)) {
        lines.push((
            PlanLine::DemandActiveUsers,
            with(&rate, &[RequestTime, ThinkTime]),
        ));
    }
    lines.sort_by_key(|(line, _)| *line);
    lines
}

/// Both, each input once.
fn with(some: &[Input], more: &[Input]) -> Vec<Input> {
    let mut all = some.to_vec();
    all.extend(more.iter().filter(|input| !some.contains(input)));
    all
}
