//! What the guide tells its reader to do, done with the built binary on the built-in engine: the
//! rows of its table (参数选择速查表), its three businesses, and its closing answers (总结). Rates are
//! ten times the guide's, and answers shorter, so that a row takes seconds.

use plimsoll_core::check::{Check, CheckVerdict};
use plimsoll_core::level::{LevelSummary, Load, Reason};
use plimsoll_core::run::Run;
use plimsoll_core::slo::Objective;
use plimsoll_core::verdict::VerdictKind;
use plimsoll_sim::EngineParams;
use serde_json::Value;

use super::find::TURN;
use super::{engine, plimsoll, run, run_json, serve, stderr, stdout};

/// Takes many at once: 32 + 4 tokens take some 10 ms.
fn wide() -> EngineParams {
    EngineParams {
        max_num_seqs: 256,
        ..engine()
    }
}

/// The guide's command line, as far as a row of its table says.
fn bench(engine: EngineParams, cap: &str, rate: &str, requests: &str, lengths: [&str; 2]) -> Value {
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let server = serve(engine);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.json");
    let output = run(plimsoll()
        .args(["bench", "serve", "--base-url", &server.url()])
        .args(["--backend", "vllm", "--dataset-name", "random"])
        .args(["--max-concurrency", cap, "--request-rate", rate])
        .args(["--num-prompts", requests])
        .args(["--random-input-len", lengths[0]])
        .args(["--random-output-len", lengths[1]])
        .args(["--save-result", "--result-filename"])
        .arg(&saved));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&std::fs::read_to_string(saved).unwrap()).unwrap()
}

/// Searches up the guide's ladder, for seconds. On a machine that is busy the client may be the limit, and says
/// so: then once more.
fn limit(engine: &EngineParams, arguments: &[&str]) -> Run {
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut found = None;
    for _ in 0..3 {
        let server = serve(engine.clone());
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let output = run(plimsoll()
            .args(["find", &server.url(), "--preset", "limit"])
            .args(["--input-len", "32", "--output-len", "16"])
            .args(["--budget", "20s", "--no-confirm", "--out"])
            .arg(&out)
            .args(arguments));
        assert!(out.join("run.json").exists(), "{}", stderr(&output));
        let run: Run = serde_json::from_value(run_json(&out)).unwrap();
        let kind = run.verdict.as_ref().unwrap().kind;
        found = Some(run);
        if !matches!(kind, VerdictKind::ClientLimited | VerdictKind::Inconclusive) {
            break;
        }
    }
    found.unwrap()
}

/// The loads in the order in which they were tried; one that was tried again at once stands once.
/// After a level that says nothing, for this machine was too busy, a lower load is a detour.
fn loads(run: &Run) -> Vec<u32> {
    let mut loads = Vec::new();
    let mut said_nothing = false;
    for level in &run.levels {
        let streams = level.load.streams().unwrap();
        let is_detour = said_nothing && loads.last().is_some_and(|last| streams < *last);
        if !is_detour && loads.last() != Some(&streams) {
            loads.push(streams);
        }
        said_nothing = level.says_nothing();
    }
    loads
}

/// 参数选择速查表: 快速验证, 真实场景模拟, 容量规划, 稳定性验证.
#[test]
fn the_rows_of_the_table_run_as_they_stand() {
    let rows = [
        ("10", "inf", "50"),
        ("100", "500", "1000"),
        // A target of 40 × 1.5.
        ("60", "1000", "2000"),
        // The best of 100 × 0.8, at 0.8 of the rate.
        ("80", "800", "1600"),
    ];
    for (cap, rate, requests) in rows {
        let saved = bench(wide(), cap, rate, requests, ["32", "4"]);
        assert_eq!(saved["completed"], requests.parse::<u64>().unwrap());
        assert_eq!(saved["max_concurrency"], cap.parse::<u64>().unwrap());
    }
}

/// 测试场景与参数配置对照表: the same four rows by name. A time that is given shortens the hold, which
/// is of minutes, and of an hour for 稳定性验证.
#[test]
fn the_rows_of_the_table_run_by_name() {
    let view = ["--concurrency", "40", "--rate", "50"];
    let rows: [(&str, &[&str], Load, Option<u32>); 4] = [
        ("quick", &[], Load::Streams(10), None),
        ("realistic", &["--rate", "200"], Load::RatePerS(200.0), None),
        ("capacity", &view, Load::RatePerS(50.0), Some(60)),
        ("soak", &view, Load::RatePerS(40.0), Some(32)),
    ];
    for (preset, view, load, cap) in rows {
        let checked = check(preset, view);
        assert_eq!(checked.plan.preset, preset.parse().ok());
        let found = Check::of(&checked).unwrap();
        assert_eq!((found.hold.load, found.hold.most_in_flight), (load, cap));
        let answer = found.answer;
        assert!(answer.verdict.holds(), "{preset}: {:?}", found.level.reason);
        let [first, last] = answer.flow.unwrap().thirds;
        assert!(first.e2e_mean_ms.is_some() && last.e2e_mean_ms.is_some());
        let requests = &found.level.requests;
        let ended = requests.completed_in_window + requests.failed_in_window;
        match preset {
            // It is counted now and then: on a fast engine some more have ended by then.
            "quick" => assert!(ended >= 50, "{ended}"),
            "realistic" => assert!(ended >= 1_000, "{ended}"),
            _ => {}
        }
    }
}

/// One row by name, on an engine of some 160 ms a request, of which what a busy machine is late is a
/// small part; what takes minutes is cut to seconds. Where the client is late all the same, it says
/// so: then once more.
fn check(preset: &str, view: &[&str]) -> Run {
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let place = tempfile::tempdir().unwrap();
    let mut found = None;
    for _ in 0..5 {
        let server = serve(EngineParams {
            step_base_us: 40_000.0,
            ..wide()
        });
        let mut command = plimsoll();
        let _ = command
            .current_dir(&place)
            .args(["check", &server.url(), "--preset", preset, "--json"])
            .args(["--input-len", "32", "--output-len", "4"])
            .args(view);
        if matches!(preset, "capacity" | "soak") {
            let _ = command.args(["--for", "3s"]);
        }
        let output = run(&mut command);
        let check: Run = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
        let answer = check.check.as_ref().unwrap();
        let is_late = answer.verdict == CheckVerdict::Void;
        found = Some(check);
        if !is_late {
            break;
        }
    }
    found.unwrap()
}

/// 不同业务场景的参数建议: each business by its name has the guide's cap, rate and number of requests.
#[test]
fn the_three_businesses_are_checked_by_name() {
    let businesses = [
        ("guide:客服", 50, 20.0, 1_000.0),
        ("guide:内容", 200, 100.0, 2_000.0),
        ("guide:代码", 20, 10.0, 500.0),
    ];
    for (name, cap, rate, requests) in businesses {
        let arguments = ["check", "--sim", "--workload", name, "--dry-run", "--json"];
        let output = run(plimsoll().args(arguments));
        let dry: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(dry["plan"]["goal"]["load"]["rate_per_s"], rate);
        assert_eq!(dry["plan"]["goal"]["most_in_flight"], cap);
        // So many come also where they are fewer than on the average, by three deviations.
        let expected = requests + 3.0 * f64::sqrt(requests);
        let planned = dry["requests"].as_f64().unwrap();
        assert!((planned - expected).abs() <= 1.0, "{planned}");
    }
}

/// 参数选择速查表: 找系统极限. Twelve run at once and a step takes 5 ms, so that a thirteenth waits
/// some 80 ms / 12 for a slot: mean TTFT is over 40 ms from about 18 on.
#[test]
fn the_limit_of_the_system_is_found() {
    let run = limit(
        &EngineParams {
            max_num_seqs: 12,
            step_base_us: 5_000.0,
            ..engine()
        },
        &["--max-ttft", "40ms", "--min-growth", "1%"],
    );
    let loads = loads(&run);
    let verdict = run.verdict.unwrap();
    assert_eq!(
        verdict.kind,
        VerdictKind::Capacity,
        "{:?}",
        verdict.broken_by
    );
    let found = verdict.capacity.unwrap();
    assert!(
        (12..=24).contains(&found.at.streams().unwrap()),
        "{:?}",
        verdict.broken_by
    );
    // 总结, 安全部署: 70–80 % of the result. Ours is 75 % of the lower end, less for small caps.
    let advice = verdict.recommended.unwrap();
    assert!(advice.mean_cap_ratio <= 0.75, "{advice:?}");
    assert!(advice.exceeds_cap_ratio.unwrap() <= 0.0101, "{advice:?}");
    assert_eq!(loads[..5], [1, 2, 5, 10, 20]);
}

/// 不同业务场景的参数建议: lengths of each business, with the guide's cap; the rate ten times.
#[test]
fn the_three_businesses_run_with_the_guides_numbers() {
    let businesses = [
        ("50", "200", "400", ["256", "128"]),
        ("200", "1000", "400", ["512", "512"]),
        ("20", "100", "200", ["1024", "256"]),
    ];
    for (cap, rate, requests, lengths) in businesses {
        let fast = EngineParams {
            step_base_us: 500.0,
            prefill_us_per_token: 0.5,
            ..wide()
        };
        let saved = bench(fast, cap, rate, requests, lengths);
        assert_eq!(saved["completed"], requests.parse::<u64>().unwrap());
    }
}

/// The same by name, in a search; one load is enough to see that the numbers arrive.
#[test]
fn the_three_businesses_are_known_by_name() {
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let businesses = [
        ("guide:客服", 256, 128),
        ("guide:内容", 512, 512),
        ("guide:代码", 1_024, 256),
    ];
    for (name, input, output) in businesses {
        let server = serve(EngineParams {
            step_base_us: 200.0,
            ..wide()
        });
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let ran = run(plimsoll()
            .args(["find", &server.url(), "--workload", name])
            .args(["--max-concurrency", "1", "--budget", "3s", "--out"])
            .arg(&out));
        assert!(out.join("run.json").exists(), "{}", stderr(&ran));
        let saved: Run = serde_json::from_value(run_json(&out)).unwrap();
        assert_eq!(saved.plan.input_len.mean_tokens(), input, "{name}");
        assert_eq!(saved.plan.output_len.mean_tokens(), output, "{name}");
        assert!(stdout(&ran).contains("guide:"), "{}", stdout(&ran));
    }
}

/// 什么时候停止增加并发, 1: 成功率 < 95 %. Four run and none may wait, so that of ten most are
/// refused.
#[test]
fn it_stops_where_requests_fail() {
    let run = limit(
        &EngineParams {
            max_num_seqs: 4,
            queue_limit: Some(1),
            step_base_us: 5_000.0,
            ..engine()
        },
        &["--max-ttft", "10s", "--min-growth", "1%"],
    );
    let verdict = run.verdict.unwrap();
    let success = Reason::from(Objective::success(0.95));
    assert_eq!(verdict.broken_by, Some(success.into()));
    let found = verdict.capacity.unwrap();
    assert!(found.at < Load::Streams(10), "{:?}", verdict.broken_by);
}

/// 2: TTFT 超过阈值, in `the_limit_of_the_system_is_found`. 3: 吞吐量增长率 < 20 %. Four run at once:
/// from five on more streams bring nothing.
#[test]
fn it_stops_where_throughput_stops_growing() {
    let run = limit(
        &EngineParams {
            max_num_seqs: 4,
            step_base_us: 10_000.0,
            ..engine()
        },
        &["--max-ttft", "100s"],
    );
    let of_level = |level: &LevelSummary| (level.load, level.output_tokens_per_s);
    let throughput: Vec<_> = run.levels.iter().map(of_level).collect();
    let verdict = run.verdict.unwrap();
    assert_eq!(
        verdict.kind,
        VerdictKind::DiminishingReturns,
        "{:?}",
        verdict.broken_by
    );
    assert!(
        verdict.capacity.unwrap().at <= Load::Streams(10),
        "{throughput:?}"
    );
}

/// 4: 系统资源耗尽. 24 blocks of 16 hold some eight requests of 32 + 16 tokens; of ten some are thrown
/// out again.
#[test]
fn it_stops_where_the_cache_is_full() {
    let run = limit(
        &EngineParams {
            kv_blocks: 24,
            step_base_us: 5_000.0,
            ..engine()
        },
        &["--max-ttft", "100s", "--min-growth", "1%"],
    );
    let verdict = run.verdict.unwrap();
    assert_eq!(
        verdict.kind,
        VerdictKind::ResourcesExhausted,
        "{:?}",
        verdict.broken_by
    );
    assert!(
        verdict.capacity.unwrap().at <= Load::Streams(20),
        "{:?}",
        verdict.broken_by
    );
}

/// 我的大模型支持多少路并发, 快速估算: 从 10 开始.
#[test]
fn a_quick_estimate_begins_at_ten() {
    let run = limit(&wide(), &["--start", "10", "--max-concurrency", "20"]);
    assert_eq!(loads(&run)[..3], [1, 10, 20]);
}
