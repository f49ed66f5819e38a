//! What may be typed anew when a run goes on: the connection, and what the plan says anyway.

use clap::Arg;
use plimsoll_core::run::{Connection, RunPlan};
use serde_json::Value;

use super::plan;
use crate::cli::{FindArgs, OF_THE_CALL, Typed, argument_name};
use crate::fault::{AgainFault, Failure, Hint};
use crate::measure::Way;
use crate::measure::no_effect::WAY;

/// Of this call alone, beside [`OF_THE_CALL`] and the way to the server ([`WAY`]).
const FREE: [&str; 3] = ["dry_run", "budget", "http"];

/// Where the plan has what an argument says.
const PLACES: [(&str, &str); 39] = [
    ("model", "/model"),
    ("endpoint", "/endpoint"),
    ("slo", "/slo"),
    ("min_success", "/slo"),
    ("max_ttft", "/slo"),
    ("slo_tier", "/goal/tiers"),
    ("min_growth", "/goal/rules/least_growth"),
    ("ignore_resources", "/goal/rules/resources_stop"),
    ("preset", "/preset"),
    ("ladder", "/goal/ladder"),
    ("by", "/goal/axis"),
    ("max_rate", "/goal/max_rate_per_s"),
    ("burstiness", "/goal/burstiness"),
    ("confirm", "/goal/confirm"),
    ("no_confirm", "/goal/confirm"),
    ("start", "/goal/start"),
    ("max_concurrency", "/goal/max_concurrency"),
    ("workload", "/workload"),
    ("input_len", "/input_len"),
    ("output_len", "/output_len"),
    ("length_spread", "/input_len"),
    ("think_time", "/think_time_s"),
    ("fixed_think_time", "/think_time_is_fixed"),
    ("burst", "/burst"),
    ("confidence", "/confidence"),
    ("level_time", "/goal/level_time_s"),
    ("timeout", "/timeout_s"),
    ("headroom", "/goal/headroom_ratio"),
    ("no_keep_alive", "/keeps_alive"),
    ("extra_body", "/body/extra"),
    ("temperature", "/body/sampling/temperature"),
    ("top_p", "/body/sampling/top_p"),
    ("top_k", "/body/sampling/top_k"),
    ("min_p", "/body/sampling/min_p"),
    ("frequency_penalty", "/body/sampling/frequency_penalty"),
    ("presence_penalty", "/body/sampling/presence_penalty"),
    ("repetition_penalty", "/body/sampling/repetition_penalty"),
    ("seed", "/seed"),
    ("no_requests", "/keeps_requests"),
];

/// Whether what was typed anew says what the plan says.
///
/// # Errors
/// It does not: the argument is named.
pub(super) fn agrees(saved: &RunPlan, args: &FindArgs, typed: &Typed) -> Result<(), Failure> {
    let mut bound = typed.all().filter(|arg| !is_free(arg)).peekable();
    if bound.peek().is_none() {
        return Ok(());
    }
    let mut now = plan::resolve(args, &[])?.plan;
    // Its parameters may be typed without --sim.
    now.engine = saved.engine.is_some().then(|| args.engine.plan());
    let other =
        bound.find(|arg| value(saved, arg) != value(&now, arg) || value(saved, arg).is_none());
    match other {
        Some(arg) => Err(contradiction(value(saved, arg), typed, arg)),
        None => Ok(()),
    }
}

/// The way to the server: the saved one, with what was typed anew in its place.
pub(super) fn way(saved: &RunPlan, args: &FindArgs, typed: &Typed) -> Way {
    let now = Way::of(&args.server, &args.connect, &args.requests);
    let old = saved.connection.clone().unwrap_or_default();
    let new = now.connection.clone();
    // A key in the file of its certificate goes with it.
    let has_cert = typed.has("cert");
    let connection = Connection {
        http: if typed.has("http") {
            new.http
        } else {
            old.http
        },
        api_key_env: new.api_key_env.or(old.api_key_env),
        cacert: new.cacert.or(old.cacert),
        insecure: new.insecure || old.insecure,
        cert: new.cert.or(old.cert),
        key: if has_cert { new.key } else { old.key },
        connect_to: given(new.connect_to, old.connect_to),
        source_ips: given(new.source_ips, old.source_ips),
        no_proxy: new.no_proxy.or(old.no_proxy),
        headers: old.headers,
    };
    now.over(connection)
}

fn given<T>(new: Vec<T>, old: Vec<T>) -> Vec<T> {
    if new.is_empty() { old } else { new }
}

fn is_free(arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    [&FREE[..], &OF_THE_CALL, WAY]
        .iter()
        .any(|ids| ids.contains(&id))
}

/// What a plan has for an argument; `None` where it has nothing.
fn value(plan: &RunPlan, arg: &Arg) -> Option<String> {
    let id = arg.get_id().as_str();
    match id {
        "url" => return plan.engine.is_none().then(|| plan.target.clone()),
        "extra_body" if plan.body.extra.is_empty() => return None,
        "no_ignore_eos" => return plan.body.may_end_early.then(|| "on".to_owned()),
        "sim" => return plan.engine.as_ref().map(|_| "on".to_owned()),
        "slo" | "min_success" | "max_ttft" => return Some(plan.slo.to_string()),
        "same_prompts" => return plan.prompt_seed.is_none().then(|| "on".to_owned()),
        _ => {}
    }
    let plan = serde_json::to_value(plan).ok()?;
    let place = PLACES.iter().find(|(name, _)| *name == id);
    let found = match (place, id) {
        (Some((_, place)), _) => plan.pointer(place),
        (None, "profile") => plan.pointer("/engine/profile"),
        (None, _) => plan.pointer("/engine/changed")?.get(id),
    };
    let unit = place
        .filter(|(_, place)| place.ends_with("_s"))
        .map(|_| "s");
    match found? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(format!("{other}{}", unit.unwrap_or_default())),
    }
}

fn contradiction(then: Option<String>, typed: &Typed, arg: &Arg) -> Failure {
    let now = typed.values(arg).concat().join(" ");
    let name = argument_name(arg);
    let was = match then.filter(|_| arg.get_action().takes_values()) {
        None => AgainFault::WasNotGiven { name: name.clone() },
        Some(then) => AgainFault::WasOther {
            name: name.clone(),
            then,
            now,
        },
    };
    Failure::from(was).hint(Hint::LeaveAway { name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::CommandFactory;
    use plimsoll_report::lang::Lang;

    fn line(words: &str) -> Vec<String> {
        let words = ["plimsoll", "find"].into_iter().chain(words.split(' '));
        words.map(|word| word.replace('_', " ")).collect()
    }

    fn args(words: &str) -> (Box<FindArgs>, Typed) {
        let line = line(words);
        match Cli::parse_in(&line, Lang::En).unwrap().command {
            Command::Find(args) => (args, Typed::read(&line).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    fn saved(words: &str) -> RunPlan {
        plan::resolve(&args(words).0, &[]).unwrap().plan
    }

    #[test]
    fn every_argument_is_free_or_has_its_place_in_the_plan() {
        let everything = saved(
            "--sim --slo ttft_p95_<=_1s --model m --endpoint chat --preset limit --start 4 \
             --workload rag --think-time 60s --level-time 30s --step-base-us 1 \
             --prefill-us-per-token 1 --sequence-us 1 --kv-us-per-token 1 --max-num-seqs 1 \
             --max-num-batched-tokens 99 --kv-blocks 9 --queue-limit 9 --jitter-cv 0 \
             --prefix-cache true --max-model-len 99 --seed 3 --same-prompts \
             --extra-body.a 1 --temperature 0 --top-p 1 --top-k 1 --min-p 0 --frequency-penalty 0 \
             --presence-penalty 0 --repetition-penalty 1 --no-ignore-eos"
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .as_str(),
        );
        let all = Cli::command();
        let find = all.find_subcommand("find").unwrap();
        for arg in find.get_arguments() {
            let id = arg.get_id().as_str();
            let is_odd = ["url", "help", "version"].contains(&id);
            assert!(
                is_odd || is_free(arg) || value(&everything, arg).is_some(),
                "{id}"
            );
        }
    }

    #[test]
    fn the_plan_may_be_typed_alike_and_not_otherwise() {
        let plan = saved("h:1 --slo ttft_p95_<=_1s --source-ip 127.0.0.2 --seed 0");
        let alike = "h:1 --resume d --slo ttft_p95<=1s --cacert new.pem --budget 20m";
        let (now, typed) = args(alike);
        agrees(&plan, &now, &typed).unwrap();
        for (words, named) in [
            (
                "--resume d --seed 4",
                "`--seed` is 0 in the saved run, not 4",
            ),
            ("--resume d --slo ttft_p95<=2s", "`--slo` is ttft p95 ≤ 1 s"),
            ("h:2 --resume d", "`URL` is h:1"),
            ("--resume d --sim", "`--sim` was not given"),
            ("--resume d --no-requests", "`--no-requests` was not given"),
            (
                "--resume d --seed 0 --same-prompts",
                "`--same-prompts` was not given",
            ),
            ("--resume d --model m", "`--model` was not given"),
            ("--resume d --kv-blocks 9", "`--kv-blocks` was not given"),
        ] {
            let (now, typed) = args(words);
            let refused = agrees(&plan, &now, &typed).unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }

    #[test]
    fn the_way_to_the_server_may_be_typed_anew() {
        let plan = saved("h:1 --cacert old.pem --source-ip 127.0.0.2 --http 2");
        let (now, typed) = args("--resume d --cacert new.pem --api-key-env OTHER");
        let way = way(&plan, &now, &typed).connection;
        assert_eq!(way.cacert.unwrap().to_str(), Some("new.pem"));
        let then = plan.connection.unwrap();
        assert_eq!(way.source_ips, then.source_ips);
        assert_eq!(
            (way.http, way.api_key_env.as_deref()),
            (then.http, Some("OTHER"))
        );
    }
}
