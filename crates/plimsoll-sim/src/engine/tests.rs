use super::{Admission, Engine, EngineParams, Job, PromptKey, Step};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn params() -> EngineParams {
    EngineParams {
        step_base_us: 1000.0,
        prefill_us_per_token: 10.0,
        sequence_us: 5.0,
        kv_us_per_token: 0.1,
        max_num_seqs: 4,
        max_num_batched_tokens: 64,
        kv_blocks: 1000,
        block_tokens: 16,
        queue_limit: None,
        jitter_cv: 0.0,
        prefix_cache: false,
        max_model_len: 4096,
    }
}

fn job(id: u64, prompt_tokens: u32, output_tokens: u32) -> Job {
    Job {
        id,
        prompt: PromptKey::unshared(),
        prompt_tokens,
        output_tokens,
    }
}

fn run(engine: &mut Engine) -> Vec<Step> {
    std::iter::from_fn(|| engine.step()).collect()
}

fn tokens_by_job(steps: &[Step]) -> BTreeMap<u64, u32> {
    let mut counts = BTreeMap::new();
    for id in steps.iter().flat_map(|step| &step.tokens) {
        *counts.entry(*id).or_insert(0) += 1;
    }
    counts
}

#[test]
fn step_times_follow_the_law() {
    let mut engine = Engine::new(params(), 1);
    assert_eq!(engine.submit(500, job(1, 50, 2)), Admission::Queued);
    let steps = run(&mut engine);
    assert_eq!(steps.len(), 2);
    assert_eq!(
        steps[0].start_ns, 500,
        "an idle engine starts with the submission"
    );
    assert_eq!(
        steps[0].duration_ns, 1_510_000,
        "1000 + 50·10 + 5 + 50·0.1 µs"
    );
    assert_eq!(steps[1].start_ns, steps[0].end_ns());
    assert_eq!(steps[1].duration_ns, 1_010_100, "1000 + 5 + 51·0.1 µs");
    assert_eq!(steps[1].finished, [1]);
}

#[test]
fn long_prompts_are_chunked_and_decodes_come_first() {
    let mut engine = Engine::new(params(), 1);
    engine.submit(0, job(1, 10, 10));
    let first = engine.step().expect("one job");
    assert_eq!(first.tokens, [1]);
    engine.submit(0, job(2, 130, 1));
    let chunks: Vec<_> = (0..3)
        .map(|_| engine.step().expect("two jobs"))
        .map(|step| (step.prefill_tokens, step.decode_tokens, step.tokens))
        .collect();
    assert_eq!(
        chunks,
        [(63, 1, vec![1]), (63, 1, vec![1]), (4, 1, vec![1, 2])]
    );
}

#[test]
fn a_job_that_can_never_fit_is_told_so() {
    let mut engine = Engine::new(
        EngineParams {
            kv_blocks: 4,
            ..params()
        },
        1,
    );
    assert_eq!(
        engine.submit(0, job(1, 60, 5)),
        Admission::TooLong { limit_tokens: 64 }
    );
    assert_eq!(engine.submit(0, job(1, 60, 4)), Admission::Queued);
    assert_eq!(tokens_by_job(&run(&mut engine))[&1], 4);
}

#[test]
fn a_full_queue_rejects() {
    let mut engine = Engine::new(
        EngineParams {
            queue_limit: Some(1),
            ..params()
        },
        1,
    );
    let answers: Vec<_> = (0..6).map(|id| engine.submit(0, job(id, 4, 4))).collect();
    assert_eq!(answers[..5], [Admission::Queued; 5]);
    assert_eq!(answers[5], Admission::Rejected);
    run(&mut engine);
    assert_eq!(
        engine.submit(0, job(9, 4, 4)),
        Admission::Queued,
        "finished jobs leave room"
    );
}

#[test]
fn a_small_cache_preempts_the_last_and_everyone_completes() {
    let mut engine = Engine::new(
        EngineParams {
            kv_blocks: 8,
            ..params()
        },
        1,
    );
    for id in 0..3 {
        engine.submit(0, job(id, 20, 60));
    }
    let steps = run(&mut engine);
    assert!(engine.gauges().preemptions_total > 0);
    let sum: u32 = steps.iter().map(|step| step.preempted).sum();
    assert_eq!(u64::from(sum), engine.gauges().preemptions_total);
    assert_eq!(
        tokens_by_job(&steps),
        BTreeMap::from([(0, 60), (1, 60), (2, 60)])
    );
    let order: Vec<_> = steps
        .iter()
        .flat_map(|step| step.finished.clone())
        .collect();
    assert_eq!(order, [0, 1, 2], "the oldest is never the victim");
}

#[test]
fn a_known_prefix_is_not_computed_again() {
    let mut engine = Engine::new(
        EngineParams {
            prefix_cache: true,
            ..params()
        },
        1,
    );
    let ids: Vec<u32> = (0..48).collect();
    let shared = |id| Job {
        prompt: PromptKey::from_tokens(&ids, 16),
        ..job(id, 48, 3)
    };
    engine.submit(0, shared(1));
    assert_eq!(run(&mut engine)[0].prefill_tokens, 48);
    engine.submit(0, shared(2));
    assert_eq!(
        run(&mut engine)[0].prefill_tokens,
        16,
        "the last block gives the first token"
    );
    let gauges = engine.gauges();
    assert_eq!(
        (gauges.prefix_queries_total, gauges.prefix_hits_total),
        (96, 32)
    );
    assert!(
        gauges.kv_used_ratio.abs() < f64::EPSILON,
        "idle cached blocks count as free"
    );
}

#[test]
fn cancel_frees_blocks_wherever_the_job_is() {
    let mut engine = Engine::new(
        EngineParams {
            max_num_seqs: 1,
            ..params()
        },
        1,
    );
    engine.submit(0, job(1, 40, 9));
    engine.submit(0, job(2, 40, 9));
    engine.step();
    assert!(engine.gauges().kv_used_ratio > 0.0);
    engine.cancel(1);
    engine.cancel(2);
    engine.cancel(3);
    assert!(engine.step().is_none());
    assert!(engine.is_idle());
    assert!(engine.gauges().kv_used_ratio.abs() < f64::EPSILON);
}

#[test]
fn jitter_has_mean_one_and_the_asked_spread() {
    let mut rng = crate::random::stream(3, "test", 0);
    let draws: Vec<f64> = (0..20_000)
        .map(|_| super::lognormal(0.3, &mut rng))
        .collect();
    let mean = draws.iter().sum::<f64>() / 2e4;
    let sd = (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4).sqrt();
    // Five standard errors of the mean: 5 · 0.3 / √20000 ≈ 0.011.
    assert!((mean - 1.0).abs() < 0.011, "{mean}");
    assert!((sd / mean - 0.3).abs() < 0.03, "{sd}");
}

/// Jobs of a random load: gap before the submission in steps, prompt and output in tokens.
fn loads() -> impl Strategy<Value = Vec<(u8, u32, u32)>> {
    prop::collection::vec((0_u8..4, 1_u32..90, 1_u32..40), 1..40)
}

fn engines() -> impl Strategy<Value = EngineParams> {
    (1_u32..6, 0_u32..40, 9_u32..60, any::<bool>()).prop_map(|(seqs, spare, blocks, cache)| {
        EngineParams {
            max_num_seqs: seqs,
            max_num_batched_tokens: seqs + spare,
            kv_blocks: blocks,
            jitter_cv: 0.2,
            prefix_cache: cache,
            ..params()
        }
    })
}

/// Runs a load; prompts are counted up from 0, so that all share their beginnings.
fn drive(engine: &mut Engine, load: &[(u8, u32, u32)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut now = 0;
    for (id, &(gap, prompt, output)) in load.iter().enumerate() {
        for _ in 0..gap {
            if let Some(step) = engine.step() {
                now = step.end_ns();
                steps.push(step);
            }
        }
        let ids: Vec<u32> = (0..prompt).collect();
        let prompt_key = PromptKey::from_tokens(&ids, 16);
        let answer = engine.submit(
            now,
            Job {
                prompt: prompt_key,
                ..job(id as u64, prompt, output)
            },
        );
        assert_eq!(answer, Admission::Queued);
    }
    steps.extend(run(engine));
    steps
}

proptest! {
    #[test]
    fn every_job_gets_its_tokens_once_and_no_block_leaks(params in engines(), load in loads()) {
        let mut engine = Engine::new(params, 5);
        let counts = tokens_by_job(&drive(&mut engine, &load));
        for (id, &(_, _, output)) in load.iter().enumerate() {
            prop_assert_eq!(counts[&(id as u64)], output);
        }
        let gauges = engine.gauges();
        prop_assert_eq!((gauges.running, gauges.waiting, engine.pool.used()), (0, 0, 0));
        prop_assert_eq!(gauges.admitted_total, load.len() as u64);
    }

    #[test]
    fn limits_hold_in_every_step(params in engines(), load in loads()) {
        let mut engine = Engine::new(params.clone(), 5);
        for step in drive(&mut engine, &load) {
            prop_assert!(step.decode_tokens + step.prefill_tokens <= params.max_num_batched_tokens);
            prop_assert!(step.tokens.len() <= params.max_num_seqs as usize);
            prop_assert!(step.kv_tokens <= params.kv_tokens() * u64::from(params.max_num_seqs));
            prop_assert!(step.duration_ns > 0);
            prop_assert!(step.decode_tokens + step.prefill_tokens > 0, "no step is wasted");
        }
    }

    #[test]
    fn running_never_exceeds_its_limit(params in engines(), count in 1_u64..30) {
        let limit = params.max_num_seqs as usize;
        let mut engine = Engine::new(params, 5);
        for id in 0..count {
            engine.submit(0, job(id, 20, 5));
        }
        while engine.step().is_some() {
            prop_assert!(engine.gauges().running <= limit);
            prop_assert!(engine.gauges().kv_used_ratio <= 1.0);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_steps(params in engines(), load in loads()) {
        let once = drive(&mut Engine::new(params.clone(), 9), &load);
        prop_assert_eq!(once, drive(&mut Engine::new(params, 9), &load));
    }

    #[test]
    fn first_tokens_come_in_order_of_arrival(params in engines(), load in loads()) {
        let mut engine = Engine::new(EngineParams { kv_blocks: 10_000, ..params }, 5);
        let steps = drive(&mut engine, &load);
        prop_assert_eq!(engine.gauges().preemptions_total, 0);
        let mut firsts = Vec::new();
        for id in steps.iter().flat_map(|step| &step.tokens) {
            if !firsts.contains(id) {
                firsts.push(*id);
            }
        }
        prop_assert!(firsts.is_sorted());
    }

    #[test]
    fn cancelling_anything_at_any_time_leaks_nothing(
        params in engines(),
        load in loads(),
        cancels in prop::collection::vec(0_u64..40, 0..40),
    ) {
        let mut engine = Engine::new(params, 5);
        for (id, &(_, prompt, output)) in load.iter().enumerate() {
            engine.submit(0, job(id as u64, prompt, output));
        }
        for id in cancels {
            engine.step();
            engine.cancel(id);
        }
        run(&mut engine);
        prop_assert_eq!(engine.pool.used(), 0);
        prop_assert!(engine.is_idle());
    }
}
