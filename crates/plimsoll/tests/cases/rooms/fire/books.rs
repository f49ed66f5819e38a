//! The books of a run: what came in and was due went out or ended.

use serde_json::Value;

use super::super::super::told::Told;

/// Whether they balance on every level; of a run that never began there is nothing to balance.
pub(super) fn balance(told: &Told) -> bool {
    let levels = told.run["levels"].as_array();
    levels.is_none_or(|levels| levels.iter().all(|level| balances(&level["requests"])))
}

fn balances(requests: &Value) -> bool {
    let count = |name: &str| requests[name].as_u64().unwrap();
    let outcomes = requests["outcomes"].as_object().unwrap().values();
    let ended: u64 = outcomes.filter_map(Value::as_u64).sum();
    count("carried_in") + count("due") == ended + count("carried_out")
}
