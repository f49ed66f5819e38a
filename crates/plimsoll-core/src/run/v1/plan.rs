//! The plan of a search: what every run has stands apart from the goal today, and more is kept.

use serde_json::{Map, Value, json};

/// What is of the search alone.
const OF_THE_SEARCH: [&str; 12] = [
    "tiers",
    "axis",
    "rules",
    "ladder",
    "start",
    "max_concurrency",
    "max_rate_per_s",
    "burstiness",
    "confirm",
    "level_time_s",
    "budget_s",
    "headroom_ratio",
];

/// Upgrades a plan. Two switches were kept as arguments alone.
pub(super) fn upgrade(plan: &mut Value) {
    let Some(plan) = plan.as_object_mut() else {
        return;
    };
    let mut goal = Map::from_iter([("kind".to_owned(), json!("search"))]);
    goal.extend(
        OF_THE_SEARCH
            .iter()
            .filter_map(|name| plan.remove_entry(*name)),
    );
    let has = |plan: &Map<String, Value>, name: &str| {
        let arguments = plan.get("arguments").and_then(Value::as_array);
        arguments.is_some_and(|all| all.contains(&json!(name)))
    };
    let keeps_alive = !has(plan, "--no-keep-alive");
    let keeps_requests = !has(plan, "--no-requests");
    let mut add = |name: &str, value: Value| drop(plan.insert(name.to_owned(), value));
    add("goal", Value::Object(goal));
    add("keeps_alive", json!(keeps_alive));
    add("keeps_requests", json!(keeps_requests));
}
