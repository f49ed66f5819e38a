//! CPU time that the host of this machine gave to others: a worker that is late by it is not slow.

/// `/proc/stat` at one moment, in ticks over all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Steal {
    stolen: u64,
    all: u64,
}

impl Steal {
    /// Reads the counts; `None` on a system without them.
    pub(crate) fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// The `cpu` line of `proc_stat(5)`: user nice system idle iowait irq softirq steal guest …
    /// Guest time is in user already.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        Some(Self {
            stolen: *ticks.get(7)?,
            all: ticks.iter().take(8).sum(),
        })
    }

    /// The stolen share of the time since `before` was read.
    pub(crate) fn ratio_since(before: Option<Self>) -> Option<f64> {
        before?.ratio_until(Self::read()?)
    }

    /// The stolen share of the time from here until `later`, 0..1; `None` if no tick has passed.
    fn ratio_until(self, later: Self) -> Option<f64> {
        let all = later.all.saturating_sub(self.all);
        (all > 0).then(|| later.stolen.saturating_sub(self.stolen) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stolen_share_is_of_all_ticks() {
        let before = Steal::parse("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1 1 1\n").unwrap();
        let after = Steal::parse("cpu  20 0 20 130 0 0 0 30 9 0\n").unwrap();
        assert_eq!(before.ratio_until(after), Some(0.2));
        assert_eq!(before.ratio_until(before), None);
        assert_eq!(Steal::parse("cpu 1 2 3"), None);
    }
}
