//! Plans for tests.

use super::{Connection, Goal, HoldPlan, RunPlan};
use crate::level::Load;
use crate::workload::LengthLaw;

/// A load that is held for 100 s.
pub(crate) fn hold(load: Load) -> HoldPlan {
    HoldPlan {
        load,
        most_in_flight: None,
        burstiness: Some(1.0),
        for_s: 100.0,
        until_requests: None,
        fails_fast: false,
    }
}

/// A plan that holds it, with 512 tokens in and out.
pub(crate) fn hold_plan(hold: &HoldPlan, slo: &str) -> RunPlan {
    let fixed = LengthLaw::Uniform {
        mean_tokens: 512,
        spread_ratio: 0.0,
    };
    RunPlan {
        target: "h:1".to_owned(),
        engine: None,
        model: None,
        endpoint: None,
        proxy: None,
        connection: Some(Connection::default()),
        preset: None,
        goal: Goal::Hold(hold.clone()),
        slo: slo.parse().unwrap(),
        slo_given: true,
        confidence: crate::judge::Confidence::DEFAULT,
        workload: None,
        input_len: fixed,
        output_len: fixed,
        think_time_s: None,
        think_time_is_fixed: false,
        user_think_time_s: None,
        burst: false,
        lockstep: false,
        timeout_s: 120.0,
        keeps_alive: true,
        keeps_requests: true,
        seed: 0,
        prompt_seed: None,
        body: super::BodyPlan::default(),
        arguments: Vec::new(),
    }
}
