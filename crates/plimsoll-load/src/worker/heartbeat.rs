//! A worker's heartbeat: every 10 ms it looks how late the loop is, maps the kernel's clock anew,
//! counts its CPU time, and sets the nap before a poll.

use std::time::Duration;

use crate::clock::thread_cpu;
use crate::context::WorkerContext;
use crate::stamps::kernel_stamps;
use crate::stats::Outputs;

/// How often a worker looks at itself.
const BEAT: Duration = Duration::from_millis(10);
/// The runtime's timer rounds up to a millisecond, which is no lateness of the loop.
const TIMER_TICK: Duration = Duration::from_millis(1);
/// With fewer output events between two beats there is nothing to read in batches.
const BUSY_EVENTS: u64 = 20;

/// Beats for ever; the caller drops it.
pub(crate) async fn heartbeat(context: &WorkerContext) {
    let mut cpu = thread_cpu();
    let mut at = context.clock.now();
    let mut before = context.stats.update(|stats| stats.outputs);
    loop {
        let wanted = context.clock.now() + BEAT;
        let on_purpose = TIMER_TICK + context.poll_clock.nap_time();
        context.stats.expect_beat(wanted + on_purpose);
        tokio::time::sleep_until(context.clock.instant(wanted).into()).await;
        let now = context.clock.now();
        context.stamps.measure();
        // So that a read that asks hears of no more than one beat.
        let _ = context.run_queue.waited_before(context.poll_clock.latest());
        let cpu_now = thread_cpu();
        let outputs = context.stats.update(|stats| {
            stats.woke(now.since(wanted).saturating_sub(on_purpose));
            stats.outputs
        });
        if let (Some(cpu), Some(cpu_now)) = (cpu, cpu_now) {
            let used = cpu_now.saturating_sub(cpu);
            context.stats.spent(used, now.since(at));
        }
        // A nap must not be in a stamp: without the kernel's it would be, and where answers share a
        // connection, what waits for its end gets a later one.
        let may_nap = kernel_stamps() && !context.shares_connections();
        let gap = busy_gap(before, outputs).filter(|_| may_nap);
        context.poll_clock.set_gap(gap);
        (cpu, at, before) = (cpu_now, now, outputs);
    }
}

/// The mean gap between two events of an answer since the last beat, if there were enough of them.
/// Counts that went down were taken in between: the next beat knows more.
fn busy_gap(before: Outputs, now: Outputs) -> Option<Duration> {
    let gaps = now.gaps.checked_sub(before.gaps)?;
    let gap_ns = now.gap_ns.checked_sub(before.gap_ns)?;
    (gaps >= BUSY_EVENTS).then(|| Duration::from_nanos(gap_ns / gaps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(gaps: u64, gap_ms: u64) -> Outputs {
        Outputs {
            gaps,
            gap_ns: gaps * gap_ms * 1_000_000,
            ..Outputs::default()
        }
    }

    #[test]
    fn only_a_busy_worker_has_a_gap() {
        let idle = Outputs::default();
        assert_eq!(busy_gap(idle, outputs(19, 20)), None);
        let busy = busy_gap(idle, outputs(50, 20));
        assert_eq!(busy, Some(Duration::from_millis(20)));
        assert_eq!(busy_gap(outputs(50, 20), idle), None, "taken in between");
    }
}
