//! Runs of version 1 as they would be written today: pure functions on JSON.
//!
//! | version 1 | today |
//! |---|---|
//! | `capacity` in streams or `rate`, with `lower` and `upper` | one `capacity` of loads |
//! | the plan of a search, all in one | what every run has, and the `goal` |
//! | `gateway_cap` and `planned_mean`, or `planned_rate_per_s` | one `recommended` |
//! | `reason`, `broken_by` and the detail of a cause as English text | kinds with their numbers |
//!
//! What is not known stays as it is: reading it then fails where a value must be there.

mod plan;
mod prose;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::SCHEMA_VERSION;

/// Upgrades a run file.
pub(super) fn run(run: &mut Value) {
    begin(run);
    each(run, "levels", level);
    answers(run);
}

/// What stands in a run and in its first event alike.
fn begin(of: &mut Value) {
    if let Some(version) = of.get_mut("schema_version") {
        *version = json!(SCHEMA_VERSION);
    }
    if let Some(plan) = of.get_mut("plan") {
        plan::upgrade(plan);
    }
}

/// Upgrades each value of a list; what is no list has none.
fn each(of: &mut Value, list: &str, upgrade: fn(&mut Value)) {
    let all = of.get_mut(list).and_then(Value::as_array_mut);
    all.into_iter().flatten().for_each(upgrade);
}

/// Upgrades an event of a log.
pub(super) fn event(event: &mut Value) {
    match event["event"].as_str() {
        Some("run_started") => begin(event),
        Some("level_finished" | "level_cut") => {
            if let Some(of) = event.get_mut("level") {
                level(of);
            }
        }
        Some("run_finished") => answers(event),
        _ => {}
    }
}

fn level(of: &mut Value) {
    if let Some(reason) = of.get_mut("reason") {
        prose::upgrade(reason, prose::reason);
    }
}

/// The answer and those of the tiers, which stand alike in a run and in its last event.
fn answers(of: &mut Value) {
    answer(of);
    each(of, "tiers", answer);
}

fn answer(of: &mut Value) {
    let answer = of.get_mut("verdict").and_then(Value::as_object_mut);
    if let Some(answer) = answer {
        verdict(answer);
    }
}

fn verdict(of: &mut Map<String, Value>) {
    let mut take = |name| of.remove(name).unwrap_or_default();
    let (streams, rate) = (take("capacity"), take("rate"));
    let (cap, mean) = (take("gateway_cap"), take("planned_mean"));
    let planned_rate = take("planned_rate_per_s");
    let recommended = if cap.is_object() {
        json!({
            "cap": cap,
            "mean_amount": mean["streams"],
            "mean_cap_ratio": mean["cap_ratio"],
            "exceeds_cap_ratio": mean["exceeds_cap_ratio"],
        })
    } else {
        by_rate(&planned_rate, &rate["lower_per_s"])
    };
    let capacity = if streams.is_object() {
        interval(
            "streams",
            [&streams["streams"], &streams["lower"], &streams["upper"]],
        )
    } else if rate.is_object() {
        let ends = [&rate["per_s"], &rate["lower_per_s"], &rate["upper_per_s"]];
        interval("rate_per_s", ends)
    } else {
        Value::Null
    };
    if let Some(by) = of.get_mut("broken_by") {
        prose::upgrade(by, prose::broken_by);
    }
    if let Some(detail) = of
        .get_mut("cause")
        .and_then(|cause| cause.get_mut("detail"))
    {
        prose::upgrade(detail, prose::detail);
    }
    let _ = of.insert("capacity".to_owned(), capacity);
    let _ = of.insert("recommended".to_owned(), recommended);
}

fn interval(kind: &str, [at, lower, upper]: [&Value; 3]) -> Value {
    let load = |amount: &Value| match amount {
        Value::Null => Value::Null,
        amount => json!({ kind: amount }),
    };
    json!({ "at": load(at), "lower": load(lower), "upper": load(upper) })
}

/// A rate to plan for stood alone; the limit beside it was the lower end of the interval.
fn by_rate(planned_per_s: &Value, limit_per_s: &Value) -> Value {
    match (planned_per_s.as_f64(), limit_per_s.as_f64()) {
        (Some(planned), Some(limit)) if limit > 0.0 => json!({
            "cap": { "rate_per_s": limit },
            "mean_amount": planned,
            "mean_cap_ratio": planned / limit,
            "exceeds_cap_ratio": null,
        }),
        _ => Value::Null,
    }
}
