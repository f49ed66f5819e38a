//! Finished runs for the tests of every renderer.

mod verdicts;

use plimsoll_core::judge::{Confidence, Decision, ObjectiveResult};
use plimsoll_core::level::{
    ClientHealth, LevelSummary, LevelVerdict, Load, Purpose, Reason, RequestCounts, Shortfall,
    Window,
};
use plimsoll_core::protocol::{PromptForm, Protocol};
use plimsoll_core::run::{
    Connection, Environment, Goal, HttpVersion, Run, RunPlan, RunState, SCHEMA_VERSION, SearchPlan,
    ServerInfo,
};
use plimsoll_core::scaling::scaling;
use plimsoll_core::search::{Axis, Ladder, Rules};
use plimsoll_core::stats::Summary;
use plimsoll_core::telemetry::ServerWindow;
use plimsoll_core::tier::{Tier, TierVerdict};
use plimsoll_core::verdict::{Note, Verdict, VerdictKind};
use plimsoll_core::workload::LengthLaw;

pub(crate) use verdicts::{advice, by_rate, capacity_of, cause, verdict};

/// A level that breaks an objective.
pub(crate) fn broken(objective: &str) -> Reason {
    Reason::Objective {
        objective: objective.parse().unwrap(),
    }
}

/// A level whose requests were sent late.
pub(crate) fn send_lag() -> Reason {
    Shortfall::SendLag {
        p99_ms: 8.1,
        bound_ms: 5.0,
    }
    .into()
}

use LevelVerdict::{Fail, Pass, Screened, Undecided, Void};

/// A search that closed in on its answer.
pub(crate) fn capacity() -> Run {
    let levels = vec![
        level(1, Screened, 12, 0.31, 62.0),
        level(2, Screened, 14, 0.61, 70.0),
        level(4, Screened, 19, 1.19, 84.0),
        level(8, Screened, 25, 2.25, 108.0),
        level(16, Screened, 41, 4.05, 170.0),
        level(32, Screened, 70, 6.6, 420.0),
        with_kv(level(64, Fail, 102, 8.3, 3_900.0), 1.0),
        held(with_kv(level(45, Pass, 412, 7.9, 780.0), 0.93)),
        held(with_kv(level(51, Fail, 388, 8.2, 1_350.0), 0.99)),
        held(with_kv(level(48, Undecided, 466, 8.1, 960.0), 0.97)),
    ];
    run(levels, verdict(VerdictKind::Capacity))
}

/// A server that does not hold even one stream.
pub(crate) fn below_first() -> Run {
    let mut first = level(1, Fail, 14, 0.052, 2_600.0);
    first.success_ratio = Some(0.857);
    first.requests.failed_in_window = 2;
    first.tpot_ms = Summary::default();
    first.speed_tok_per_s = Summary::default();
    let mut run = run(vec![first], verdict(VerdictKind::BelowFirst));
    run.server.has_metrics = false;
    run.server.kind = None;
    run.server.prompt_form = PromptForm::Words;
    run.server.prompt_tokens_measured = Some(1_011.4);
    run
}

/// The guide's stop rules: more streams bring no more throughput.
pub(crate) fn diminishing_returns() -> Run {
    let levels = vec![
        level(1, Screened, 12, 1.9, 31.0),
        level(2, Screened, 16, 3.7, 33.0),
        level(5, Screened, 30, 8.4, 41.0),
        level(10, Screened, 55, 12.1, 77.0),
        level(20, Screened, 80, 13.3, 260.0),
        level(50, Screened, 160, 13.9, 690.0),
    ];
    let mut run = run(levels, verdict(VerdictKind::DiminishingReturns));
    run.plan.slo = "ttft mean <= 1 s, success >= 95 %".parse().unwrap();
    run.plan.slo_given = false;
    search(&mut run).ladder = "guide".parse().unwrap();
    search(&mut run).level_time_s = Some(30.0);
    run
}

/// Interrupted, with a void level and a server that says little.
pub(crate) fn inconclusive() -> Run {
    let mut void = level(64, Void, 60, 9.4, 310.0);
    void.reason = Some(send_lag());
    let mut empty = level(32, Undecided, 0, 0.0, 0.0);
    empty.requests = RequestCounts::default();
    empty.success_ratio = None;
    empty.request_per_s = None;
    empty.output_tokens_per_s = None;
    empty.window = None;
    for summary in [
        &mut empty.ttft_ms,
        &mut empty.tpot_ms,
        &mut empty.e2e_ms,
        &mut empty.speed_tok_per_s,
    ] {
        *summary = Summary::default();
    }
    let levels = vec![
        level(8, Screened, 25, 2.25, 108.0),
        level(16, Screened, 41, 4.05, 170.0),
        void,
        empty,
    ];
    let mut run = run(levels, verdict(VerdictKind::Inconclusive));
    run.state = RunState::Partial;
    run.environment.receive_stamps = "user".to_owned();
    run
}

/// Three tiers: one as searched for alone, one that had too little time, one that nothing holds.
pub(crate) fn tiers() -> Run {
    let mut run = capacity();
    let tier = |name: &str, slo: &str, verdict: Verdict| TierVerdict {
        name: name.to_owned(),
        slo: slo.parse().unwrap(),
        verdict,
    };
    let mut gold = verdict(VerdictKind::Capacity);
    gold.broken_by = Some(broken("tpot p95 <= 30 ms").into());
    gold.capacity = Some(capacity_of(21, 12, Some(30)));
    gold.recommended = Some(advice(12, 5.8));
    gold.broken_at = Some(Load::Streams(32));
    gold.notes = vec![Note::BudgetSpent];
    run.tiers = vec![
        tier(
            "silver",
            "ttft p95 <= 1s, success >= 99%",
            verdict(VerdictKind::Capacity),
        ),
        tier("gold", "ttft p95 <= 300ms, tpot p95 <= 30ms", gold),
        tier(
            "platinum",
            "ttft p95 <= 1ms",
            verdict(VerdictKind::BelowFirst),
        ),
        tier("batch", "success >= 95%", verdict(VerdictKind::AboveLast)),
        tier("paced", "tpot p95 <= 1s", verdict(VerdictKind::FullBatch)),
        tier("open", "e2e p95 <= 9s", verdict(VerdictKind::Inconclusive)),
    ];
    let known = [Note::BudgetSpent, Note::Interrupted];
    for tier in &mut run.tiers {
        tier.verdict.notes.retain(|note| known.contains(note));
    }
    let tiers = run.tiers.iter().map(|one| Tier {
        name: one.name.clone(),
        slo: one.slo.clone(),
    });
    search(&mut run).tiers = tiers.collect();
    run
}

/// The four runs, by name.
pub(crate) fn all() -> [(&'static str, Run); 4] {
    [
        ("capacity", capacity()),
        ("below_first", below_first()),
        ("diminishing_returns", diminishing_returns()),
        ("inconclusive", inconclusive()),
    ]
}

fn level(streams: u32, verdict: LevelVerdict, n: usize, rate: f64, p95_ms: f64) -> LevelSummary {
    let e2e_ms = if rate > 0.0 {
        f64::from(streams) / rate * 1_000.0
    } else {
        0.0
    };
    let tpot_ms = e2e_ms / 500.0;
    LevelSummary {
        index: 0,
        purpose: Purpose::Ramp,
        tier: None,
        load: Load::Streams(streams),
        verdict,
        reason: (verdict == Fail).then(|| broken("ttft p95 <= 1 s")),
        started_s: 0.0,
        duration_s: 30.0,
        window: Some(Window {
            from_s: 5.0,
            to_s: 30.0,
            request_times: 8.0,
        }),
        requests: RequestCounts {
            completed_in_window: n as u64,
            ..RequestCounts::default()
        },
        success_ratio: Some(1.0),
        request_per_s: Some(rate),
        output_tokens_per_s: Some(rate * 480.0),
        prompt_tokens_mean: Some(1_024.0),
        output_tokens_mean: Some(480.0),
        output_tokens_cv_ratio: Some(0.06),
        ttft_ms: around(p95_ms * 0.55, p95_ms, n),
        tpot_ms: around(tpot_ms, tpot_ms * 1.3, n),
        itl_ms: around(tpot_ms, tpot_ms * 2.0, n),
        e2e_ms: around(e2e_ms, e2e_ms * 1.2, n),
        stall_ms: around(tpot_ms * 3.0, tpot_ms * 9.0, n),
        speed_tok_per_s: around(1_000.0 / tpot_ms.max(1e-9), 1_200.0 / tpot_ms.max(1e-9), n),
        stability: None,
        objectives: objectives(n, p95_ms),
        draws: Vec::new(),
        alarms: Vec::new(),
        client: ClientHealth::default(),
        server: None,
    }
}

/// What the judge saw of the objectives that the runs here are searched by.
fn objectives(n: usize, ttft_p95_ms: f64) -> Vec<ObjectiveResult> {
    let result = |text: &str, value: f64| ObjectiveResult {
        objective: text.parse().unwrap(),
        decision: Decision::Undecided,
        screen_breaks: false,
        n,
        over: Some(0),
        value: (n > 0).then_some(value),
        autocorrelation: 1.0,
        standard_error: None,
        absent: 0,
        slices: Vec::new(),
    };
    vec![
        result("ttft p95 <= 1 s", ttft_p95_ms),
        result("ttft mean <= 1 s", ttft_p95_ms * 0.55),
        result("success >= 99 %", 1.0),
    ]
}

fn around(mean: f64, p95: f64, n: usize) -> Summary {
    Summary {
        n,
        mean: Some(mean),
        p95: Some(p95),
        ..Summary::default()
    }
}

fn with_kv(mut level: LevelSummary, used: f64) -> LevelSummary {
    level.success_ratio = Some(0.9978);
    level.server = Some(ServerWindow {
        samples: 20,
        kv_used_ratio_max: Some(used),
        ..ServerWindow::default()
    });
    level
}

fn held(level: LevelSummary) -> LevelSummary {
    LevelSummary {
        purpose: Purpose::Refine,
        ..level
    }
}

fn run(levels: Vec<LevelSummary>, mut verdict: Verdict) -> Run {
    verdict.scaling = scaling(&levels);
    Run {
        schema_version: SCHEMA_VERSION,
        started_utc: "2025-03-01T08:00:00Z".to_owned(),
        state: RunState::Finished,
        plan: RunPlan {
            target: "http://10.0.0.5:8000".to_owned(),
            engine: None,
            model: None,
            endpoint: None,
            proxy: None,
            connection: Some(Connection {
                http: Some(HttpVersion::Http1),
                api_key_env: None,
                ..Connection::default()
            }),
            preset: None,
            goal: Goal::Search(search_plan()),
            slo: "ttft p95 <= 1 s, success >= 99 %".parse().unwrap(),
            slo_given: true,
            workload: None,
            input_len: LengthLaw::Uniform {
                mean_tokens: 1_024,
                spread_ratio: 0.1,
            },
            output_len: LengthLaw::Uniform {
                mean_tokens: 480,
                spread_ratio: 0.1,
            },
            think_time_s: None,
            think_time_is_fixed: false,
            user_think_time_s: None,
            burst: false,
            lockstep: false,
            confidence: Confidence::default(),
            timeout_s: 120.0,
            keeps_alive: true,
            keeps_requests: true,
            seed: 1,
            arguments: Vec::new(),
        },
        environment: Environment {
            plimsoll_version: "0.1.0".to_owned(),
            platform: "linux x86_64".to_owned(),
            cpus: 8,
            open_files_limit: Some(65_536),
            receive_stamps: "kernel".to_owned(),
            workers: 2,
        },
        server: ServerInfo {
            url: "http://10.0.0.5:8000".to_owned(),
            http: HttpVersion::Http1,
            kind: Some("vllm".to_owned()),
            model: "Qwen2.5-7B-Instruct".to_owned(),
            max_model_len_tokens: Some(32_768),
            endpoint: Protocol::Completions,
            reports_usage: true,
            honours_output_len: true,
            prompt_form: PromptForm::TokenIds,
            prompt_tokens_measured: None,
            has_metrics: true,
        },
        levels,
        resumptions: Vec::new(),
        rejudged: None,
        verdict: Some(verdict),
        tiers: Vec::new(),
        check: None,
    }
}

fn search_plan() -> SearchPlan {
    SearchPlan {
        tiers: Vec::new(),
        axis: Axis::Streams,
        rules: Rules {
            least_growth: 0.2,
            growth_stops: false,
            resources_stop: true,
        },
        ladder: Ladder::Doubling,
        start: 1,
        max_concurrency: 512,
        max_rate_per_s: 10_000.0,
        burstiness: 1.0,
        confirm: true,
        level_time_s: None,
        budget_s: 900.0,
        headroom_ratio: 0.75,
    }
}

/// What a run searches for.
pub(crate) fn search(run: &mut Run) -> &mut SearchPlan {
    match &mut run.plan.goal {
        Goal::Search(search) => search,
        Goal::Hold(_) => panic!("no search"),
    }
}
