//! Every option of `find` and `check`, in every place where it does nothing.

use clap::CommandFactory;
use plimsoll_report::lang::Lang;

use super::*;
use crate::cli::{Cli, Command};
use crate::{check, find};

/// Options that do something wherever they are taken, or say what is so anyway (`--confirm`, `--quiet`).
/// What does not go together is refused by the parser or the plan.
const ALWAYS: &[&str] = &[
    "url",
    "sim",
    "model",
    "endpoint",
    "slo",
    "slo_tier",
    "by",
    "confirm",
    "no_confirm",
    "max_concurrency",
    "workload",
    "input_len",
    "output_len",
    "length_spread",
    "confidence",
    "level_time",
    "budget",
    "headroom",
    "timeout",
    "no_keep_alive",
    "seed",
    "same_prompts",
    "wait",
    "yes",
    "max_failures",
    "extra_body",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "no_ignore_eos",
    "resume",
    "from",
    "repeat",
    "dry_run",
    "no_requests",
    "json",
    "lang",
    "quiet",
    "http",
    "rate",
    "concurrency",
    "cap",
    "hold",
    "fail_fast",
];

/// An option as it is typed, with what it needs beside it.
fn example(id: &str) -> &'static str {
    match id {
        "max_ttft" => "--max-ttft 2s",
        "min_success" => "--min-success 99%",
        "min_growth" => "--min-growth 10%",
        "ignore_resources" => "--ignore-resources",
        "ladder" => "--ladder 1,2,4",
        "preset" => "--preset limit",
        "start" => "--start 4",
        "burst" => "--burst",
        "think_time" => "--think-time 1s",
        "fixed_think_time" => "--fixed-think-time --think-time 1s",
        "max_rate" => "--max-rate 5",
        "burstiness" => "--burstiness 2",
        "api_key_env" => "--api-key-env PATH",
        "cacert" => "--cacert a.pem",
        "insecure" => "--insecure",
        "cert" => "--cert a.pem",
        "key" => "--key a.pem --cert a.pem",
        "connect_to" => "--connect-to 10.0.0.1:1",
        "source_ip" => "--source-ip 127.0.0.2",
        "proxy" => "--proxy http://p:1",
        "no_proxy" => "--no-proxy h",
        "header" => "--header a:b",
        "details" => "--details",
        "out" => "--out x",
        "profile" => "--profile toy",
        "prefix_cache" => "--prefix-cache true",
        "step_base_us" => "--step-base-us 9",
        "prefill_us_per_token" => "--prefill-us-per-token 9",
        "sequence_us" => "--sequence-us 9",
        "kv_us_per_token" => "--kv-us-per-token 9",
        "max_num_seqs" => "--max-num-seqs 9",
        "max_num_batched_tokens" => "--max-num-batched-tokens 99",
        "kv_blocks" => "--kv-blocks 9",
        "queue_limit" => "--queue-limit 9",
        "jitter_cv" => "--jitter-cv 0.1",
        "max_model_len" => "--max-model-len 9999",
        other => panic!("an example of `{other}` is missing"),
    }
}

/// Words that make a place, and words that make its contrary; `None` where the command has none.
fn words(place: Place, command: &str) -> Option<(&'static str, &'static str)> {
    let is_find = command == "find";
    Some(match place {
        Place::OwnObjectives => ("h:1 --slo ttft_p95<=1s", "h:1"),
        Place::OwnSuccess => ("h:1 --slo ttft_p95<=1s", "h:1 --slo ttft_mean<=1s"),
        Place::Server => ("h:1", "--sim"),
        Place::Sim => ("--sim", "https://h:1"),
        Place::Streams if is_find => ("h:1", "h:1 --by rate"),
        Place::Streams => ("h:1 --concurrency 4", "h:1 --rate 4"),
        Place::SearchByRate if is_find => ("h:1 --by rate", "h:1"),
        Place::SearchByRate => return None,
        Place::Plain => ("http://h:1", "https://h:1"),
        Place::Insecure => ("https://h:1 --insecure", "https://h:1"),
        Place::ConnectTo => ("h:1 --connect-to 10.0.0.2:2", "h:1"),
        Place::Json => ("h:1 --json", "h:1"),
        Place::DryRun => ("h:1 --dry-run", "h:1"),
    })
}

fn looked_at(command: &str, words: &str) -> Result<Vec<Idle>, Failure> {
    let load = if command == "check" && !words.contains("--rate") && !words.contains("--conc") {
        "--concurrency 4"
    } else {
        ""
    };
    let line = format!("plimsoll {command} {words} {load}");
    let line: Vec<String> = line
        .split_whitespace()
        .map(|word| word.replace('_', " "))
        .collect();
    let typed = Typed::read(&line)?;
    let plan = match Cli::parse_in(&line, Lang::En).unwrap().command {
        Command::Find(args) => find::planned(&args)?,
        Command::Check(args) => check::planned(&args)?,
        other => panic!("{other:?}"),
    };
    look(&plan, &typed)
}

fn has(command: &str, id: &str) -> bool {
    let all = Cli::command();
    let found = all.find_subcommand(command);
    found.is_some_and(|command| command.get_arguments().any(|arg| arg.get_id() == id))
}

#[test]
fn what_has_no_effect_is_refused_or_said_and_only_there() {
    for row in TABLE {
        for (command, id) in ["find", "check"]
            .iter()
            .flat_map(|command| row.options.iter().map(move |id| (*command, *id)))
            .filter(|(command, id)| has(command, id))
        {
            let Some((here, elsewhere)) = words(row.place, command) else {
                continue;
            };
            let option = example(id);
            let found = looked_at(command, &format!("{here} {option}"));
            let told = match (row.then, &found) {
                (Then::Refuse, Err(failure)) => {
                    [Lang::En, Lang::Zh].map(|lang| failure.words(lang))
                }
                (Then::Warn, Ok(said)) => {
                    let of = |idle: &&Idle| idle.fault.place == row.place;
                    let idle = said.iter().find(of).unwrap();
                    [Lang::En, Lang::Zh].map(|lang| idle.words(lang))
                }
                _ => panic!("{command} {here} {option}: {found:?}"),
            };
            for text in &told {
                let typed = option.split(' ').filter(|word| word.starts_with("--"));
                let named = typed.filter(|name| text.contains(&format!("`{name}`")));
                assert!(named.count() > 0, "{text}");
            }
            assert!(
                told[0].contains("has no effect") && told[1].contains("不起作用"),
                "{told:?}"
            );
            let is_of = |idle: &Idle| idle.fault.place == row.place;
            let spared = match looked_at(command, &format!("{elsewhere} {option}")) {
                Ok(said) => !said.iter().any(is_of),
                Err(failure) => !failure.to_string().contains(row.place.words()[0]),
            };
            assert!(spared, "{command} {elsewhere} {option}");
        }
    }
}

#[test]
fn every_option_has_an_effect_everywhere_or_a_row() {
    let all = Cli::command();
    for command in ["find", "check"] {
        let command = all.find_subcommand(command).unwrap();
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            let has_row = TABLE.iter().any(|row| row.options.contains(&id));
            assert_ne!(
                has_row,
                ALWAYS.contains(&id),
                "{id}: a row, or among ALWAYS"
            );
        }
    }
    for id in ALWAYS
        .iter()
        .chain(TABLE.iter().flat_map(|row| row.options))
    {
        assert!(has("find", id) || has("check", id), "{id} is gone");
    }
}

/// A mean is of completed requests, so a success stands beside it: there the option is used.
#[test]
fn a_success_is_set_where_a_mean_needs_one() {
    for used in [
        "h:1 --slo ttft_mean<=1s",
        "h:1 --slo-tier a:ttft_mean<=1s",
        "h:1",
    ] {
        assert_eq!(
            looked_at("find", &format!("{used} --min-success 99%")).unwrap(),
            []
        );
    }
    for unused in [
        "h:1 --slo ttft_p95<=1s",
        "h:1 --slo ttft_mean<=1s --slo success>=98%",
        "h:1 --slo-tier a:ttft_p95<=1s",
    ] {
        assert!(looked_at("find", &format!("{unused} --min-success 99%")).is_err());
    }
}
