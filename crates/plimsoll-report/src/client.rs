//! What the client added itself, and where its stamps come from: two sentences under the table.

use plimsoll_core::level::{ClientHealth, LevelVerdict};
use plimsoll_core::run::{HttpVersion, Run};

use crate::lang::Lang;

/// Where the receive stamps come from, and what the client was like at its worst.
pub(crate) fn client_notes(run: &Run, lang: Lang) -> Vec<String> {
    [stamps(run, lang), at_its_worst(run, lang)]
        .into_iter()
        .flatten()
        .collect()
}

fn stamps(run: &Run, lang: Lang) -> Option<String> {
    let text = match run.environment.receive_stamps.as_str() {
        "kernel" if run.server.http == HttpVersion::Http2 => lang.pick(
            "Receive times are the kernel's. Over HTTP/2 many streams share a connection, and what \
             waits there to be read has the time of the last of it: a busy client adds a little.",
            "接收时刻取自内核。HTTP/2 下多路请求共用一条连接，同一次读到的数据都取其中最后到达的时刻：客户端繁忙时会略微抬高时延。",
        ),
        "kernel" => lang.pick(
            "Receive times are the kernel's: a busy client does not add to them.",
            "接收时刻取自内核：客户端繁忙不会抬高时延。",
        ),
        "user" => lang.pick(
            "Receive times are taken right after each read, before any parsing: a busy \
             client can add to them.",
            "接收时刻在读取后、解析前立即记录：客户端繁忙时会使时延偏高。",
        ),
        _ => return None,
    };
    Some(text.to_owned())
}

/// The largest of each measure over the levels that say something.
fn at_its_worst(run: &Run, lang: Lang) -> Option<String> {
    let worst = |of: fn(&ClientHealth) -> Option<f64>| {
        let levels = run.levels.iter();
        levels
            .filter(|level| level.verdict != LevelVerdict::Void)
            .filter_map(|level| of(&level.client))
            .reduce(f64::max)
    };
    let shared = worst(|client| client.shared_first_ratio)?;
    let cpu = worst(|client| client.worker_cpu_ratio)?;
    let late = worst(|client| client.read_lag_ms.p99);
    let stolen = worst(|client| client.stolen_cpu_ratio);
    let ms = |value: f64| format!("{value:.1} ms");
    let percent = |ratio: f64| format!("{:.1} %", ratio * 1e2);
    let mut parts = Vec::new();
    if let Some(late) = late {
        parts.push(lang.pick(
            format!("read p99 {} late", ms(late)),
            format!("读取滞后 p99 {}", ms(late)),
        ));
    }
    parts.push(lang.pick(
        format!("{} of the first tokens share a stamp", percent(shared)),
        format!("{} 的首字与后续 token 共用时间戳", percent(shared)),
    ));
    parts.push(lang.pick(
        format!("the busiest worker used {} of its core", percent(cpu)),
        format!("最忙的工作线程占用所在核的 {}", percent(cpu)),
    ));
    if let Some(stolen) = stolen.filter(|stolen| *stolen >= 0.001) {
        parts.push(lang.pick(
            format!("{} of the CPU time was stolen by the host", percent(stolen)),
            format!("CPU 时间有 {} 被宿主机占用", percent(stolen)),
        ));
    }
    Some(lang.pick(
        format!("The client at its worst level: {}.", parts.join(", ")),
        format!("客户端最差的一档：{}。", parts.join("，")),
    ))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::stats::Summary;

    use super::*;
    use crate::fixture;

    #[test]
    fn the_worst_level_counts_and_void_ones_do_not() {
        let mut run = fixture::capacity();
        assert_eq!(at_its_worst(&run, Lang::En), None);
        for (level, late) in run.levels.iter_mut().zip([1.0, 3.0]) {
            level.client = ClientHealth {
                shared_first_ratio: Some(late / 1e3),
                worker_cpu_ratio: Some(0.1),
                read_lag_ms: Summary::of(vec![late]),
                ..ClientHealth::default()
            };
        }
        let text = at_its_worst(&run, Lang::En).unwrap();
        assert_eq!(
            text,
            "The client at its worst level: read p99 3.0 ms late, 0.3 % of the first tokens share \
             a stamp, the busiest worker used 10.0 % of its core."
        );
        run.levels[1].verdict = LevelVerdict::Void;
        run.levels[0].client.stolen_cpu_ratio = Some(0.02);
        let text = at_its_worst(&run, Lang::Zh).unwrap();
        assert!(text.contains("读取滞后 p99 1.0 ms"), "{text}");
        assert!(text.contains("2.0 % 被宿主机占用"), "{text}");
    }
}
