//! What `plimsoll selftest` found: the model, its verdict, and its text.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use plimsoll_core::level::ClientHealth;
use plimsoll_core::stats::Summary;
use serde::Serialize;

use crate::lang::Lang;
use crate::number::MISSING;
use crate::table::STYLE;

/// A first token stamped wrong by more than this (p99) fails a stage …
const MOST_TTFT_ERROR_MS: f64 = 0.5;
/// … and so does a larger share of first tokens that share a stamp.
const MOST_SHARED_FIRST: f64 = 0.005;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct SelfTest {
    /// Version, system and cores.
    pub machine: Machine,
    /// Many streams with a truth known for each request; ascending.
    pub stages: Vec<Stage>,
    /// Short requests as fast as they go.
    pub throughput: Option<Throughput>,
    /// Requests on a schedule that does not wait.
    pub open_loop: Option<OpenLoop>,
    /// Length of the test, s.
    pub took_s: f64,
}

/// Where it ran.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Version of the program.
    pub plimsoll_version: String,
    /// System and architecture.
    pub platform: String,
    /// Cores of the client.
    pub client_cores: Vec<usize>,
    /// Core of the server; one of the client's if there is only one.
    pub server_core: usize,
    /// `kernel` or `user`.
    pub receive_stamps: String,
}

/// One figure as the server knows it and as the client reported it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Compared {
    /// Mean by the server's own stamps, ms.
    pub truth_mean_ms: f64,
    /// Mean as reported, ms.
    pub mean_ms: f64,
    /// 99 % quantile by the server's own stamps, ms.
    pub truth_p99_ms: f64,
    /// 99 % quantile as reported, ms.
    pub p99_ms: f64,
}

/// So many streams at once.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Streams.
    pub streams: u32,
    /// Gap between tokens that the server keeps, ms.
    pub itl_ms: f64,
    /// Requests sent.
    pub requests: usize,
    /// Requests completed.
    pub completed: usize,
    /// Most in flight at any moment.
    pub peak_in_flight: u32,
    /// Output events per second.
    pub event_per_s: f64,
    /// Most memory of the client's process so far, KB; `None` where the system does not say.
    pub peak_resident_kb: Option<u64>,
    /// CPU time of the client's process for an output event, µs.
    pub cpu_us_per_event: f64,
    /// |reported − true| TTFT of each request, ms.
    pub ttft_error_ms: Summary,
    /// Time to first token.
    pub ttft: Compared,
    /// Gaps between output events.
    pub itl: Compared,
    /// Last output − sent.
    pub e2e: Compared,
    /// The client's own health.
    pub client: ClientHealth,
}

/// Short requests one after another on a few streams.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// Streams.
    pub streams: u32,
    /// Output tokens of a request.
    pub output_tokens: u32,
    /// Requests per second.
    pub request_per_s: f64,
}

/// Requests of one token on a schedule.
#[derive(Clone, Debug, Serialize)]
pub struct OpenLoop {
    /// Requests per second asked for.
    pub rate_per_s: f64,
    /// Sent − due, ms.
    pub send_lag_ms: Summary,
    /// Share of the CPU time that the host gave to others, 0..1.
    pub stolen_cpu_ratio: Option<f64>,
}

impl Stage {
    /// Whether every figure of this many streams can be believed.
    pub fn is_right(&self) -> bool {
        let error = self.ttft_error_ms.p99;
        let shared = self.client.shared_first_ratio.unwrap_or(0.0);
        self.completed == self.requests
            && self.ttft_error_ms.n == self.completed
            && error.is_some_and(|error| error.abs() <= MOST_TTFT_ERROR_MS)
            && shared <= MOST_SHARED_FIRST
    }
}

impl SelfTest {
    /// The most streams whose figures are right; `None` if not even the first are.
    pub fn right_up_to(&self) -> Option<u32> {
        let right = self.stages.iter().take_while(|stage| stage.is_right());
        right.last().map(|stage| stage.streams)
    }

    /// Whether all stages were right.
    pub fn is_right(&self) -> bool {
        self.stages.iter().all(Stage::is_right)
    }

    /// The verdict in one or two sentences.
    pub fn sentence(&self, lang: Lang) -> String {
        let most = self.stages.last().map_or(0, |stage| stage.streams);
        let stamps = match (self.machine.receive_stamps.as_str(), lang) {
            ("kernel", Lang::En) => "Stamps come from the kernel.",
            ("kernel", Lang::Zh) => "时间戳来自内核。",
            (_, Lang::En) => "The kernel gives no stamps: the client's own queueing is in them.",
            (_, Lang::Zh) => "内核不提供时间戳：客户端自身的排队时间也算在内。",
        };
        let verdict = match (self.right_up_to(), lang) {
            (Some(n), Lang::En) if n == most => {
                format!("This machine's figures are right up to {n} streams, as far as was tried.")
            }
            (Some(n), Lang::En) => format!(
                "This machine's figures are right up to {n} streams, not at {most}: give the client more cores or machines."
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
    pub fn render(&self, out: &mut dyn Write, lang: Lang) -> io::Result<()> {
        writeln!(out, "{}", self.heading(lang))?;
        writeln!(out, "\n{}\n", stages_table(&self.stages, lang))?;
        writeln!(out, "{}\n", figures_table(&self.stages, lang))?;
        for line in self.rates(lang) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "\n{}", self.sentence(lang))
    }

    fn heading(&self, lang: Lang) -> String {
        let machine = &self.machine;
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

    fn rates(&self, lang: Lang) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(one) = &self.throughput {
            let (streams, tokens) = (one.streams, one.output_tokens);
            let rate = fixed(one.request_per_s, 0);
            lines.push(lang.pick(
                format!("{streams} streams, {tokens} tokens without delay: {rate} requests/s"),
                format!("{streams} 路、每个 {tokens} token、无延迟：{rate} 请求/秒"),
            ));
        }
        if let Some(one) = &self.open_loop {
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
                    "按计划每秒 {rate} 个请求：发送延迟 p50 {p50} ms，p99 {p99} ms；CPU 时间被宿主机占用 {stolen} %"
                ),
            ));
        }
        lines
    }
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
            "首 token 时\n间戳共用 %",
            "时间戳\n共用 %",
            "读取延迟\np99 ms",
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
    fn the_verdict_ends_at_the_first_stage_that_is_wrong() {
        let right = stage(100, 0.005, 0.0);
        let late = stage(1_000, 0.6, 0.0);
        let shared = stage(1_000, 0.005, 0.006);
        let mut cut = stage(1_000, 0.005, 0.0);
        cut.completed -= 1;
        let mut unmatched = stage(1_000, 0.005, 0.0);
        unmatched.ttft_error_ms.n -= 1;
        for wrong in [late, shared, cut, unmatched] {
            let found = found(vec![right.clone(), wrong, stage(10_000, 0.005, 0.0)]);
            assert_eq!(found.right_up_to(), Some(100));
            assert!(!found.is_right());
        }
        assert!(found(vec![right]).is_right());
        assert_eq!(found(vec![stage(1, -2.0, 0.0)]).right_up_to(), None);
    }

    #[test]
    fn both_languages_show_it() {
        let found = found(vec![stage(100, 0.005, 0.0), stage(1_000, 0.7, 0.02)]);
        for (lang, name) in [(Lang::En, "selftest_en"), (Lang::Zh, "selftest_zh")] {
            let mut text = Vec::new();
            found.render(&mut text, lang).unwrap();
            insta::assert_snapshot!(name, String::from_utf8(text).unwrap());
        }
    }
}
