//! What the engine's own metrics would say of a level.

use plimsoll_core::level::{Level, Phase};
use plimsoll_core::telemetry::ServerWindow;

use crate::engine::{Engine, Step};

/// The engine's gauges over a window, each step weighted by its length.
#[derive(Debug, Default)]
pub(super) struct Observed {
    steps: usize,
    nanos: f64,
    running_nanos: f64,
    waiting_nanos: f64,
    running_max: Option<f64>,
    kv_used_ratio_max: Option<f64>,
}

impl Observed {
    /// Takes a step that starts within the window of `level`; others do not count.
    pub(super) fn see(&mut self, engine: &Engine, step: &Step, level: &Level) {
        if level.phase() != Phase::Window {
            return;
        }
        let gauges = engine.gauges();
        let (running, nanos) = (gauges.running as f64, step.duration_ns as f64);
        self.steps += 1;
        self.nanos += nanos;
        self.running_nanos += running * nanos;
        self.waiting_nanos += gauges.waiting as f64 * nanos;
        let larger = |old: Option<f64>, new: f64| Some(old.map_or(new, |old| old.max(new)));
        self.running_max = larger(self.running_max, running);
        self.kv_used_ratio_max = larger(self.kv_used_ratio_max, gauges.kv_used_ratio);
    }

    pub(super) fn window(&self, preempted: u64) -> ServerWindow {
        let mean = |sum: f64| (self.nanos > 0.0).then(|| sum / self.nanos);
        ServerWindow {
            samples: self.steps,
            running_mean: mean(self.running_nanos),
            running_max: self.running_max,
            waiting_mean: mean(self.waiting_nanos),
            kv_used_ratio_max: self.kv_used_ratio_max,
            preemptions: Some(preempted as f64),
            samples_disbelieved: 0,
        }
    }
}
