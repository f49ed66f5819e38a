use plimsoll_core::schedule::Share;
use plimsoll_core::stats::Summary;
use proptest::prelude::*;

use super::*;

fn at(ms: u64) -> Offset {
    Offset::from_nanos(ms * 1_000_000)
}

#[test]
fn shared_stamps_are_counted_with_the_most_they_can_be_late() {
    let mut stats = WorkerStats::default();
    stats.output_read(1, false, None, at(100), at(99));
    stats.output_read(2, false, Some(at(100)), at(120), at(119));
    stats.output_read(3, false, None, at(200), at(170));
    stats.output_read(1, true, None, at(300), at(299));
    let counts = stats.outputs;
    assert_eq!((counts.all, counts.shared), (7, 6));
    assert_eq!((counts.first, counts.shared_first), (3, 2));
    assert_eq!((counts.gaps, counts.gap_ns), (1, 20_000_000));
    let error_ms = stats.shared_first_error.summary_ms().max.unwrap();
    assert!((error_ms - 30.0).abs() < 0.3, "{error_ms}");
}

#[test]
fn a_worker_without_reads_says_nothing_of_them() {
    let health = WorkerStats::default().health(Duration::ZERO);
    assert_eq!(health, ClientHealth::default());
}

#[test]
fn workers_add_up_and_the_busiest_counts() {
    let stats = |lag_ms, cpu| {
        let mut stats = WorkerStats::default();
        stats.kernel_read(Duration::from_millis(lag_ms));
        stats.woke(Duration::from_millis(lag_ms));
        stats.connected(ConnectTimes {
            tcp: Duration::from_millis(500),
            ..ConnectTimes::default()
        });
        stats.connecting = Duration::from_millis(500);
        stats.worker_cpu_ratio = cpu;
        stats
    };
    let sum: WorkerStats = [
        stats(1, Some(0.2)),
        stats(3, Some(0.6)),
        WorkerStats::default(),
    ]
    .into_iter()
    .collect();
    let health = sum.health(Duration::from_secs(2));
    assert_eq!(health.kernel_stamp_ratio, Some(1.0));
    assert_eq!(health.worker_cpu_ratio, Some(0.6));
    assert_eq!(health.connecting_concurrency, Some(0.5));
    assert_eq!(health.connections_opened, 2);
    let mean = health.read_lag_ms.mean.unwrap();
    assert!((mean - 2.0).abs() < 0.02, "{mean}");
    assert_eq!(health.tls_ms, Summary::default());
}

/// One thing that a worker counts.
#[derive(Clone, Debug)]
enum Count {
    KernelRead(u64),
    UserRead,
    Woke(u64),
    Connected(u64, Option<u64>),
    Output(u64, bool, Option<u64>, u64),
    Waited(u64),
    IdleRetry,
    ClockError(u64),
}

fn count() -> impl Strategy<Value = Count> {
    let ms = 0..5_000u64;
    prop_oneof![
        ms.clone().prop_map(Count::KernelRead),
        Just(Count::UserRead),
        ms.clone().prop_map(Count::Woke),
        (ms.clone(), prop::option::of(ms.clone()))
            .prop_map(|(tcp, tls)| Count::Connected(tcp, tls)),
        (
            0..4u64,
            any::<bool>(),
            prop::option::of(ms.clone()),
            ms.clone()
        )
            .prop_map(|(outputs, shared, before, at)| Count::Output(outputs, shared, before, at)),
        ms.clone().prop_map(Count::Waited),
        Just(Count::IdleRetry),
        ms.prop_map(Count::ClockError),
    ]
}

fn counted(counts: impl Iterator<Item = Count>) -> WorkerStats {
    let ms = Duration::from_millis;
    let mut stats = WorkerStats::default();
    for count in counts {
        match count {
            Count::KernelRead(lag) => stats.kernel_read(ms(lag)),
            Count::UserRead => stats.user_reads += 1,
            Count::Woke(late) => stats.woke(ms(late)),
            Count::Connected(tcp, tls) => stats.connected(ConnectTimes {
                tcp: ms(tcp),
                proxy: None,
                tls: tls.map(ms),
            }),
            Count::Output(outputs, shared, before, now) => {
                stats.output_read(outputs, shared, before.map(at), at(now), at(now / 2));
            }
            Count::Waited(span) => stats.connecting += ms(span),
            Count::IdleRetry => stats.idle_retries += 1,
            Count::ClockError(error) => {
                stats.clock_error_ns = stats.clock_error_ns.max(error);
            }
        }
    }
    stats
}

proptest! {
    #[test]
    fn what_workers_count_adds_up_to_what_one_counts(
        counts in prop::collection::vec(count(), 0..100),
        workers in prop::sample::select(vec![1u32, 2, 3, 7]),
    ) {
        let merged: WorkerStats = Share::split(workers)
            .map(|share| counted(share.of(counts.iter().cloned())))
            .collect();
        prop_assert_eq!(merged, counted(counts.into_iter()));
    }

    #[test]
    fn counts_go_through_json(counts in prop::collection::vec(count(), 0..100)) {
        let stats = counted(counts.into_iter());
        let text = serde_json::to_string(&stats).unwrap();
        let read: WorkerStats = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.health(Duration::from_secs(1)), stats.health(Duration::from_secs(1)));
    }
}
