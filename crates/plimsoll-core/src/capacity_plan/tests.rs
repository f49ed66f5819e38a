//! The plan by hand: a server with a cap of 46 and requests of 7.9 s, whose users think for 60 s.

use proptest::prelude::*;

use super::*;

fn known() -> Inputs {
    Inputs {
        cap_streams: Some(46),
        request_time: Some(RequestTime {
            s: 7.9,
            source: TimeSource::Given,
        }),
        think_time_s: Some(60.0),
        active_ratio: Some(0.1),
        peak_factor: Some(3.0),
        tokens_per_request: Some(TokensPerRequest {
            total: 640.0,
            output: Some(128.0),
        }),
        gpu_price_per_h: Some(2.5),
        gpus_per_server: Some(8),
        target: Some(Target::Users(5_000.0)),
        ..Inputs::unknown(0.75)
    }
}

fn close(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-9)
}

/// More than 46 are in flight 1 % of the time at a mean of 32.53, which is less than 75 % of 46.
#[test]
fn one_server_carries_its_planned_mean_by_littles_law() {
    let supply = capacity_plan(&known()).supply.unwrap();
    assert!(close(Some(supply.planned_mean.streams), 32.0));
    let rate = 32.0 / 7.9;
    assert!(close(supply.request_per_s, rate));
    assert!(close(supply.active_users, rate * 67.9));
    assert!(close(supply.users, rate * 679.0));
    assert!(close(supply.request_per_day, rate * 28_800.0));
    assert!(close(supply.tokens_per_day, rate * 28_800.0 * 640.0));
    // 20 an hour, and 4.05 requests per s of 640 tokens are 9.33 million tokens an hour.
    let million_per_h = rate * 3_600.0 * 640.0 / 1e6;
    assert!(close(supply.cost_per_million_tokens, 20.0 / million_per_h));
    assert!(close(
        supply.cost_per_million_output_tokens,
        100.0 / million_per_h
    ));
}

/// 500 active users who send every 67.9 s are 7.36 requests per s, 58.17 in flight: two
/// servers with 32 each.
#[test]
fn users_need_streams_and_servers() {
    let demand = capacity_plan(&known()).demand.unwrap();
    assert!(close(demand.active_users, 500.0));
    assert!(close(demand.request_per_s, 500.0 / 67.9));
    assert!(close(demand.mean_streams, 500.0 / 67.9 * 7.9));
    assert_eq!(demand.cap_streams, None);
    assert_eq!(
        (demand.servers, demand.servers_with_spare),
        (Some(2), Some(3))
    );
    let day = 500.0 / 67.9 * 28_800.0;
    assert!(close(demand.request_per_day, day));
    assert!(close(demand.tokens_per_day, day * 640.0));
    assert!(close(demand.cost_per_h, 60.0));
    assert!(close(
        demand.cost_per_million_tokens,
        60.0 * 24.0 / (day * 640.0 / 1e6)
    ));
}

#[test]
fn the_same_demand_in_other_words_needs_the_same() {
    let by_users = capacity_plan(&known()).demand.unwrap();
    for target in [
        Target::RequestPerS(500.0 / 67.9),
        Target::RequestPerDay(500.0 / 67.9 * 28_800.0),
    ] {
        let inputs = Inputs {
            target: Some(target),
            ..known()
        };
        let demand = capacity_plan(&inputs).demand.unwrap();
        assert!(close(demand.active_users, 500.0), "{target:?}");
        assert_eq!(demand.servers, by_users.servers);
    }
}

#[test]
fn a_throughput_that_stops_growing_lowers_the_load() {
    let inputs = Inputs {
        queueing_mean_streams: Some(20.0),
        ..known()
    };
    let plan = capacity_plan(&inputs);
    let supply = plan.supply.unwrap();
    assert!(close(Some(supply.mean_streams), 20.0));
    assert!(close(supply.request_per_s, 20.0 / 7.9));
    // 58.17 / 20 = 2.9.
    assert_eq!(plan.demand.unwrap().servers, Some(3));
}

#[test]
fn without_a_share_all_users_are_active() {
    let inputs = Inputs {
        active_ratio: None,
        ..known()
    };
    let plan = capacity_plan(&inputs);
    assert!(close(plan.demand.unwrap().active_users, 5_000.0));
    assert_eq!(plan.supply.unwrap().users, None);
}

#[test]
fn streams_of_a_target_need_no_server() {
    let inputs = Inputs {
        request_time: known().request_time,
        target: Some(Target::RequestPerS(10.0)),
        ..Inputs::unknown(0.75)
    };
    let plan = capacity_plan(&inputs);
    assert_eq!(plan.supply, None);
    let demand = plan.demand.unwrap();
    assert!(close(demand.mean_streams, 79.0));
    // 79 / 0.75 = 105.3, and more than 106 of a Poisson number of mean 79 are rare.
    assert_eq!(demand.cap_streams, Some(106));
    assert_eq!(demand.servers, None);
    assert_eq!(
        plan.missing[0],
        Missing {
            line: PlanLine::Supply,
            needs: vec![Input::Cap]
        }
    );
}

#[test]
fn nothing_known_names_what_to_give() {
    let plan = capacity_plan(&Inputs::unknown(0.75));
    let needs: Vec<(PlanLine, Vec<Input>)> = plan
        .missing
        .into_iter()
        .map(|missing| (missing.line, missing.needs))
        .collect();
    assert_eq!(
        needs,
        [
            (PlanLine::Supply, vec![Input::Cap]),
            (PlanLine::Demand, vec![Input::Target])
        ]
    );
}

/// Whether a line is there.
fn has(plan: &CapacityPlan, line: PlanLine) -> bool {
    let supply = plan.supply.as_ref();
    let demand = plan.demand.as_ref();
    match line {
        PlanLine::Supply => supply.is_some(),
        PlanLine::SupplyRequestPerS => supply.unwrap().request_per_s.is_some(),
        PlanLine::SupplyActiveUsers => supply.unwrap().active_users.is_some(),
        PlanLine::SupplyUsers => supply.unwrap().users.is_some(),
        PlanLine::SupplyRequestPerDay => supply.unwrap().request_per_day.is_some(),
        PlanLine::SupplyTokensPerDay => supply.unwrap().tokens_per_day.is_some(),
        PlanLine::SupplyCost => supply.unwrap().cost_per_million_tokens.is_some(),
        PlanLine::Demand => demand.is_some(),
        PlanLine::DemandRequestPerS => demand.unwrap().request_per_s.is_some(),
        PlanLine::DemandStreams => demand.unwrap().mean_streams.is_some(),
        PlanLine::DemandActiveUsers => demand.unwrap().active_users.is_some(),
        PlanLine::DemandRequestPerDay => demand.unwrap().request_per_day.is_some(),
        PlanLine::DemandTokensPerDay => demand.unwrap().tokens_per_day.is_some(),
        PlanLine::DemandServers => demand.unwrap().servers.is_some(),
        PlanLine::DemandCost => demand.unwrap().cost_per_h.is_some(),
        PlanLine::DemandCostPerToken => demand.unwrap().cost_per_million_tokens.is_some(),
    }
}

proptest! {
    /// Of any inputs, a line is either there or named as missing.
    #[test]
    fn a_line_is_there_or_named(given in 0u32..512, target in 0usize..4) {
        let mut inputs = known();
        let is_given = |bit: u32| given & (1 << bit) != 0;
        if !is_given(0) { inputs.cap_streams = None; }
        if !is_given(1) { inputs.request_time = None; }
        if !is_given(2) { inputs.think_time_s = None; }
        if !is_given(3) { inputs.active_ratio = None; }
        if !is_given(4) { inputs.peak_factor = None; }
        if !is_given(5) { inputs.tokens_per_request = None; }
        if !is_given(6) { inputs.gpu_price_per_h = None; }
        if !is_given(7) { inputs.gpus_per_server = None; }
        inputs.target = [
            None,
            Some(Target::Users(100.0)),
            Some(Target::RequestPerS(3.0)),
            Some(Target::RequestPerDay(1e5)),
        ][target];
        let plan = capacity_plan(&inputs);
        for (line, _) in missing::lines(&inputs) {
            let named = plan.missing.iter().any(|missing| missing.line == line);
            prop_assert_eq!(has(&plan, line), !named, "{:?}", line);
        }
    }
}
