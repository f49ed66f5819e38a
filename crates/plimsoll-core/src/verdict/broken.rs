//! What broke first, as data.

use serde::{Deserialize, Serialize};

use crate::level::{Reason, Silence};

/// What ended the rise of the load: a rule of the search, or what the level above says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BrokenBy {
    /// Throughput grows by less than this where the streams double.
    ThroughputStalls {
        /// The least growth per doubling, as a ratio: 0.2 is 20 %.
        least_growth_ratio: f64,
    },
    /// The batch is full: more streams only wait.
    FullBatch,
    /// The KV cache is full, and the server preempts.
    KvCacheFull,
    /// The server is gone.
    ServerGone {
        /// Since when, and how it shows; `None` in a run that did not know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silence: Option<Silence>,
    },
    /// What the level says: in most cases the objective that it breaks.
    #[serde(untagged)]
    Level(Reason),
}

impl From<Reason> for BrokenBy {
    fn from(reason: Reason) -> Self {
        Self::Level(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slo::Objective;

    #[test]
    fn a_rule_and_a_reason_stand_side_by_side_in_a_file() {
        let objective = Reason::from(Objective::success(0.99));
        for (broken, json) in [
            (
                BrokenBy::ThroughputStalls {
                    least_growth_ratio: 0.2,
                },
                r#"{"kind":"throughput_stalls","least_growth_ratio":0.2}"#,
            ),
            (BrokenBy::FullBatch, r#"{"kind":"full_batch"}"#),
            (Reason::Grows.into(), r#"{"kind":"grows"}"#),
            (
                objective.into(),
                r#"{"kind":"objective","objective":{"metric":"success","stat":"ratio","op":"at_least","bound":0.99}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&broken).unwrap(), json);
            assert_eq!(serde_json::from_str::<BrokenBy>(json).unwrap(), broken);
        }
    }
}
