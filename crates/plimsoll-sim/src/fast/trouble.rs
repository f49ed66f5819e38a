//! What breaks the model's assumptions: the second population of the evidence.

/// Departures from a steady engine; the default has none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Trouble {
    /// Bursts of other tenants.
    pub tenants: Option<Tenants>,
    /// Change of the step time, as a ratio per hour.
    pub drift_per_hour: f64,
    /// Stalls.
    pub stalls: Option<Stalls>,
    /// Prompts that share a beginning.
    pub prefix: Option<Prefix>,
    /// How tokens reach the client.
    pub delivery: Delivery,
}

/// Requests of others that come in bursts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tenants {
    /// Mean time between bursts, s; exponential.
    pub every_s: f64,
    /// Requests of a burst, all at once.
    pub requests: u32,
}

/// Steps that take much longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stalls {
    /// Chance of a step, 0..1.
    pub chance_ratio: f64,
    /// Time added, ms.
    pub added_ms: f64,
}

/// A prefix cache as the client sees it: some prompts are partly known, less often the less of the
/// cache is free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prefix {
    /// Share of the prompt that is known on a hit, 0..1.
    pub share_ratio: f64,
    /// Chance of a hit with an empty cache, 0..1.
    pub hit_ratio: f64,
}

/// How tokens reach the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// At the end of their step.
    #[default]
    AtOnce,
    /// A proxy flushes at every multiple of so many nanoseconds.
    Flushed {
        /// Its period, ns; ≥ 1.
        every_ns: u64,
    },
}

impl Trouble {
    /// Factor of the step time at a moment.
    pub(super) fn drift(&self, at_ns: u64) -> f64 {
        1.0 + self.drift_per_hour * at_ns as f64 / 3.6e12
    }

    /// Time added to a step, µs, by a uniform draw.
    pub(super) fn stall_us(&self, draw: f64) -> f64 {
        self.stalls
            .filter(|stalls| draw < stalls.chance_ratio)
            .map_or(0.0, |stalls| stalls.added_ms * 1e3)
    }

    /// When the client sees what exists at `at_ns`.
    pub(super) fn delivered(&self, at_ns: u64) -> u64 {
        match self.delivery {
            Delivery::AtOnce => at_ns,
            Delivery::Flushed { every_ns } => at_ns.div_ceil(every_ns) * every_ns,
        }
    }
}
