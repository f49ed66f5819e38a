//! What `plimsoll selftest` found, as people read it.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use plimsoll_core::selftest::{SelfTest, Stage};

use crate::lang::Lang;
use crate::layout::STYLE;
use crate::number::{MISSING, so_many};

/// The verdict in one or two sentences.
pub fn sentence(found: &SelfTest, lang: Lang) -> String {
    let most = found.stages.last().map_or(0, |stage| stage.streams);
    let stamps = match (found.machine.receive_stamps.as_str(), lang) {
        ("kernel", Lang::En) => "Stamps come from the kernel.",
        ("kernel", Lang::Zh) => "时间戳来自内核。",
        (_, Lang::En) => "The kernel gives no stamps: the client's own queueing is in them.",
        (_, Lang::Zh) => "内核不提供时间戳：客户端自身的排队时间也算在内。",
    };
    let verdict = match (found.right_up_to(), lang) {
        (Some(n), Lang::En) if n == most => {
            let n = so_many(u64::from(n), "stream");
            format!("This machine's figures are right up to {n}, as far as was tried.")
        }
        (Some(n), Lang::En) => format!(
            "This machine's figures are right up to {}, not at {most}: give the client more cores or machines.",
            so_many(u64::from(n), "stream")
        ),
        (None, Lang::En) => {
            "This machine's figures are not right: something else keeps it from its work."
                .to_owned()
        }
        (Some(n), Lang::Zh) if n == most => {
            format!("本机测得的数值在 {n} 路以内准确（测试到此为止）。")
        }
        (Some(n), Lang::Zh) => format!(
            "本机测得的数值在 {n} 路以内准确，{most} 路时不准：请给客户端更多核或更多机器。"
        ),
        (None, Lang::Zh) => "本机测得的数值不准：有别的程序在抢它的时间。".to_owned(),
    };
    format!("{verdict} {stamps}")
}

/// Writes the tables and the verdict.
///
/// # Errors
/// The writer fails.
pub fn render(found: &SelfTest, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading(found, lang))?;
    writeln!(out, "\n{}\n", stages_table(&found.stages, lang))?;
    writeln!(out, "{}\n", figures_table(&found.stages, lang))?;
    for line in rates(found, lang) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "\n{}", sentence(found, lang))
}

fn heading(found: &SelfTest, lang: Lang) -> String {
    let machine = &found.machine;
    let cores: Vec<String> = machine.client_cores.iter().map(usize::to_string).collect();
    let cores = cores.join(", ");
    let server = machine.server_core;
    let place = lang.pick(
        format!("client on core {cores}, server on core {server}"),
        format!("客户端在核 {cores}，服务端在核 {server}"),
    );
    format!(
        "plimsoll {} · {} · {place}",
        machine.plimsoll_version, machine.platform
    )
}

fn rates(found: &SelfTest, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(one) = &found.throughput {
        let (streams, tokens) = (one.streams, one.output_tokens);
        let rate = fixed(one.request_per_s, 0);
        lines.push(lang.pick(
            format!("{streams} streams, {tokens} tokens without delay: {rate} requests/s"),
            format!("{streams} 路、每个 {tokens} token、不加时延：{rate} 请求/秒"),
        ));
    }
    if let Some(one) = &found.open_loop {
        let rate = fixed(one.rate_per_s, 0);
        let shown = |value: Option<f64>| value.map_or(MISSING.to_owned(), |ms| fixed(ms, 3));
        let (p50, p99) = (shown(one.send_lag_ms.p50), shown(one.send_lag_ms.p99));
        let stolen = one
            .stolen_cpu_ratio
            .map_or(MISSING.to_owned(), |ratio| fixed(ratio * 1e2, 1));
        lines.push(lang.pick(
            format!(
                "{rate} requests/s on schedule: sent late by {p50} ms (p50), {p99} ms (p99); {stolen} % of the CPU time was stolen"
            ),
            format!(
                "按计划每秒 {rate} 个请求：发送滞后 p50 {p50} ms，p99 {p99} ms；CPU 时间被宿主机占用 {stolen} %"
            ),
        ));
    }
    lines
}

fn stages_table(stages: &[Stage], lang: Lang) -> Table {
    let heads = lang.pick(
        [
            "streams",
            "events/s",
            "CPU\nµs/event",
            "TTFT error\nmean ms",
            "TTFT error\np99 ms",
            "first stamps\nshared %",
            "all stamps\nshared %",
            "read late\np99 ms",
            "clock\nerror µs",
            "worker\nCPU %",
            "stolen %",
            "right",
        ],
        [
            "并发",
            "事件/秒",
            "CPU\nµs/事件",
            "TTFT 误差\n均值 ms",
            "TTFT 误差\np99 ms",
            "首字时间\n戳共用 %",
            "时间戳\n共用 %",
            "读取滞后\np99 ms",
            "时钟\n误差 µs",
            "线程\nCPU %",
            "被占用 %",
            "准确",
        ],
    );
    let rows = stages.iter().map(|stage| {
        let client = &stage.client;
        let percent = |ratio: Option<f64>| ratio.map(|ratio| fixed(ratio * 1e2, 2));
        vec![
            Some(stage.streams.to_string()),
            Some(fixed(stage.event_per_s, 0)),
            Some(fixed(stage.cpu_us_per_event, 1)),
            stage.ttft_error_ms.mean.map(|ms| fixed(ms, 3)),
            stage.ttft_error_ms.p99.map(|ms| fixed(ms, 3)),
            percent(client.shared_first_ratio),
            percent(client.shared_event_ratio),
            client.read_lag_ms.p99.map(|ms| fixed(ms, 2)),
            client.clock_error_us.map(|us| fixed(us, 2)),
            client.worker_cpu_ratio.map(|ratio| fixed(ratio * 1e2, 0)),
            client.stolen_cpu_ratio.map(|ratio| fixed(ratio * 1e2, 1)),
            Some(answer(stage.is_right(), lang).to_owned()),
        ]
    });
    table(&heads, rows)
}

fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

fn answer(yes: bool, lang: Lang) -> &'static str {
    match (yes, lang) {
        (true, Lang::En) => "yes",
        (false, Lang::En) => "no",
        (true, Lang::Zh) => "是",
        (false, Lang::Zh) => "否",
    }
}

fn figures_table(stages: &[Stage], lang: Lang) -> Table {
    let heads = lang.pick(
        [
            "streams",
            "figure",
            "true mean ms",
            "reported",
            "true p99 ms",
            "reported",
        ],
        [
            "并发",
            "指标",
            "真实均值 ms",
            "报告值",
            "真实 p99 ms",
            "报告值",
        ],
    );
    let rows = stages.iter().flat_map(|stage| {
        [("TTFT", stage.ttft), ("ITL", stage.itl), ("E2E", stage.e2e)].map(|(name, one)| {
            vec![
                Some(stage.streams.to_string()),
                Some(name.to_owned()),
                Some(fixed(one.truth_mean_ms, 3)),
                Some(fixed(one.mean_ms, 3)),
                Some(fixed(one.truth_p99_ms, 2)),
                Some(fixed(one.p99_ms, 2)),
            ]
        })
    });
    table(&heads, rows)
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<Option<String>>>) -> Table {
    let mut table = Table::new();
    let _ = table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heads.to_vec());
    for row in rows {
        let cells = row.into_iter().map(|text| {
            Cell::new(text.unwrap_or_else(|| MISSING.to_owned()))
                .set_alignment(CellAlignment::Right)
        });
        let _ = table.add_row(cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use plimsoll_core::level::ClientHealth;
    use plimsoll_core::selftest::{Compared, Machine, OpenLoop, Throughput};
    use plimsoll_core::stats::Summary;

    use super::*;

    fn stage(streams: u32, error_ms: f64, shared: f64) -> Stage {
        let one = Compared {
            truth_mean_ms: 100.0,
            mean_ms: 100.0 + error_ms,
            truth_p99_ms: 104.0,
            p99_ms: 104.0 + error_ms,
        };
        Stage {
            streams,
            itl_ms: 20.0,
            requests: 400,
            completed: 400,
            peak_in_flight: streams,
            event_per_s: 4_000.0,
            peak_resident_kb: None,
            cpu_us_per_event: 5.5,
            ttft_error_ms: Summary::of(vec![error_ms; 400]),
            ttft: one,
            itl: one,
            e2e: one,
            client: ClientHealth {
                shared_first_ratio: Some(shared),
                worker_cpu_ratio: Some(0.25),
                ..ClientHealth::default()
            },
        }
    }

    fn found(stages: Vec<Stage>) -> SelfTest {
        SelfTest {
            machine: Machine {
                plimsoll_version: "0.1.0".to_owned(),
                platform: "linux-x86_64".to_owned(),
                client_cores: vec![1, 2],
                server_core: 0,
                receive_stamps: "kernel".to_owned(),
            },
            stages,
            throughput: Some(Throughput {
                streams: 64,
                output_tokens: 64,
                request_per_s: 50_000.4,
            }),
            open_loop: Some(OpenLoop {
                rate_per_s: 5_000.0,
                send_lag_ms: Summary::of(vec![0.031, 0.04]),
                stolen_cpu_ratio: None,
            }),
            took_s: 30.0,
        }
    }

    #[test]
    fn both_languages_show_it() {
        let found = found(vec![stage(100, 0.005, 0.0), stage(1_000, 0.7, 0.02)]);
        for (lang, name) in [(Lang::En, "selftest_en"), (Lang::Zh, "selftest_zh")] {
            let mut text = Vec::new();
            render(&found, lang, &mut text).unwrap();
            insta::assert_snapshot!(name, String::from_utf8(text).unwrap());
        }
    }
}
