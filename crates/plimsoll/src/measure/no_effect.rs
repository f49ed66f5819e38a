//! Options that would change nothing beside what else was typed: who types one believes that it does.
//!
//! [`TABLE`] says which options, where they have no effect, and what to do instead. An option that is
//! added to `find` or `check` gets a row, or stands among those of the test that always have an effect.

use plimsoll_core::load::Axis;
use plimsoll_core::run::{Goal, RunPlan};
use plimsoll_core::slo::Slo;
use plimsoll_core::tier::Tier;
use plimsoll_core::workload::NamedWorkload;
use plimsoll_load::target::Target;
use thiserror::Error;

use crate::cli::{Typed, argument_name};
use crate::fault::{Failure, Hint, Words};

/// Where options have no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Objectives are given, by --slo, --slo-tier or --workload.
    OwnObjectives,
    /// Objectives are given, and `success` is among them wherever it is needed.
    OwnSuccess,
    /// A server is loaded, and not the built-in engine.
    Server,
    /// The built-in engine is loaded.
    Sim,
    /// Streams are the load.
    Streams,
    /// Arrivals per second are searched for.
    SearchByRate,
    /// The server is spoken to without TLS.
    Plain,
    /// Any certificate is taken.
    Insecure,
    /// The place to connect to is given.
    ConnectTo,
    /// `run.json` is printed instead of the report.
    Json,
    /// Nothing is sent.
    DryRun,
}

/// What is done about an option without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Refused: what is measured or judged would be another thing than who typed it believes.
    Refuse,
    /// Said: what is asked for would be the same.
    Warn,
}

/// Options, where they have no effect, and what to do instead, in English and Chinese.
struct Row {
    options: &'static [&'static str],
    place: Place,
    then: Then,
    instead: [&'static str; 2],
}

const fn refused(
    options: &'static [&'static str],
    place: Place,
    instead: [&'static str; 2],
) -> Row {
    Row {
        options,
        place,
        then: Then::Refuse,
        instead,
    }
}

const fn said(options: &'static [&'static str], place: Place, instead: [&'static str; 2]) -> Row {
    Row {
        options,
        place,
        then: Then::Warn,
        instead,
    }
}

/// Of the built-in engine.
const ENGINE: &[&str] = &[
    "profile",
    "step_base_us",
    "prefill_us_per_token",
    "sequence_us",
    "kv_us_per_token",
    "max_num_seqs",
    "max_num_batched_tokens",
    "kv_blocks",
    "queue_limit",
    "jitter_cv",
    "prefix_cache",
    "max_model_len",
];
/// Of the way to a server.
pub(crate) const WAY: &[&str] = &[
    "api_key_env",
    "cacert",
    "insecure",
    "cert",
    "key",
    "connect_to",
    "source_ip",
    "proxy",
    "no_proxy",
    "header",
];
/// Of streams that are searched for.
const RAMP: &[&str] = &[
    "min_growth",
    "ignore_resources",
    "ladder",
    "preset",
    "start",
    "burst",
    "think_time",
    "fixed_think_time",
];

const TABLE: &[Row] = &[
    refused(
        &["max_ttft"],
        Place::OwnObjectives,
        [
            "write it as an objective: --slo 'ttft mean <= 1s'",
            "写成目标：--slo 'ttft mean <= 1s'",
        ],
    ),
    refused(
        &["min_success"],
        Place::OwnSuccess,
        [
            "write it as an objective: --slo 'success >= 99%'",
            "写成目标：--slo 'success >= 99%'",
        ],
    ),
    refused(
        &["ignore_resources"],
        Place::OwnObjectives,
        [
            "leave it away: with objectives of one's own a full KV cache ends no search",
            "去掉它：给了目标时，KV 缓存占满本来就不会结束搜索",
        ],
    ),
    refused(
        ENGINE,
        Place::Server,
        [
            "it is of the built-in engine: add --sim and leave the address away, or set it where the \
             server is started",
            "它属于内置引擎：加上 --sim 并去掉地址，或在启动服务时设置",
        ],
    ),
    refused(
        WAY,
        Place::Sim,
        [
            "leave it away: the built-in engine is on this machine, without TLS, proxy or key",
            "去掉它：内置引擎就在本机，没有 TLS、代理和密钥",
        ],
    ),
    refused(
        &["max_rate"],
        Place::Streams,
        [
            "for a rate: --by rate; the largest number of streams is --max-concurrency",
            "按速率搜索：--by rate；路数的上限是 --max-concurrency",
        ],
    ),
    refused(
        &["burstiness"],
        Place::Streams,
        [
            "it is of arrivals: find takes --by rate, and check --rate R",
            "它只用于按速率到达的请求：find 用 --by rate，check 用 --rate R",
        ],
    ),
    refused(
        RAMP,
        Place::SearchByRate,
        [
            "it is of streams: leave it away, or leave --by rate away",
            "它只用于并发路数：去掉它，或去掉 --by rate",
        ],
    ),
    said(
        &["cacert", "insecure", "cert", "key"],
        Place::Plain,
        [
            "for TLS write the address with https://",
            "要用 TLS，地址写作 https://",
        ],
    ),
    said(
        &["cacert"],
        Place::Insecure,
        ["leave --insecure away", "去掉 --insecure"],
    ),
    said(
        &["no_proxy"],
        Place::ConnectTo,
        [
            "leave it away: with --connect-to there is no proxy",
            "去掉它：给了 --connect-to 就不走代理",
        ],
    ),
    said(
        &["details"],
        Place::Json,
        [
            "leave it away: run.json has everything",
            "去掉它：run.json 里什么都有",
        ],
    ),
    said(
        &["details", "out"],
        Place::DryRun,
        [
            "leave it away: there is no run to report or to save",
            "去掉它：没有测试可以报告或保存",
        ],
    ),
];

/// An option without effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{option}` has no effect {}", .place.words()[0])]
pub(crate) struct NoEffect {
    option: String,
    place: Place,
}

impl Words for NoEffect {
    fn zh(&self) -> String {
        format!("{}，`{}` 不起作用", self.place.words()[1], self.option)
    }
}

impl Place {
    /// In English and Chinese.
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::OwnObjectives => [
                "where objectives are given by --slo, --slo-tier or --workload",
                "已由 --slo、--slo-tier 或 --workload 给出目标时",
            ],
            Self::OwnSuccess => [
                "where objectives are given: none of them is a mean that lacks a `success` beside it",
                "已给出目标、且其中没有缺少成功率的均值时",
            ],
            Self::Server => ["on a server", "测试真实服务时"],
            Self::Sim => ["with --sim", "与 --sim 同用时"],
            Self::Streams => ["where streams are the load", "以并发路数加压时"],
            Self::SearchByRate => ["with --by rate", "与 --by rate 同用时"],
            Self::Plain => ["without TLS", "不用 TLS 时"],
            Self::Insecure => ["beside --insecure", "与 --insecure 同用时"],
            Self::ConnectTo => ["beside --connect-to", "与 --connect-to 同用时"],
            Self::Json => ["beside --json", "与 --json 同用时"],
            Self::DryRun => ["with --dry-run", "与 --dry-run 同用时"],
        }
    }

    /// Whether a run is there.
    fn is_of(self, plan: &RunPlan, typed: &Typed) -> bool {
        match self {
            Self::OwnObjectives => plan.slo_given,
            Self::OwnSuccess => plan.slo_given && !takes_success(plan, typed),
            Self::Server => plan.engine.is_none(),
            Self::Sim => plan.engine.is_some(),
            Self::Streams => !is_by_rate(plan),
            Self::SearchByRate => is_by_rate(plan) && plan.search().is_some(),
            Self::Plain => plan.engine.is_none() && is_plain(&plan.target),
            Self::Insecure => typed.has("insecure"),
            Self::ConnectTo => typed.has("connect_to"),
            Self::Json => typed.has("json"),
            Self::DryRun => typed.has("dry_run"),
        }
    }
}

fn is_by_rate(plan: &RunPlan) -> bool {
    match &plan.goal {
        Goal::Search(search) => search.axis == Axis::Rate,
        Goal::Hold(hold) => hold.load.rate_per_s().is_some(),
    }
}

fn is_plain(address: &str) -> bool {
    Target::parse(address).is_ok_and(|target| !target.tls)
}

/// Whether some objectives as they were typed get a `success` that --min-success sets.
fn takes_success(plan: &RunPlan, typed: &Typed) -> bool {
    let texts = |id| typed.values_of(id).into_iter();
    let alone = texts("slo").filter_map(|text| text.parse::<Slo>().ok());
    let alone = Slo(alone.flat_map(|slo| slo.0).collect());
    let tiers = texts("slo_tier").filter_map(|text| text.parse::<Tier>().ok());
    let named = plan.workload.as_deref().and_then(NamedWorkload::find);
    let named = named.filter(|_| alone.0.is_empty());
    let named = named.and_then(|named| named.slo?.parse::<Slo>().ok());
    let mut all = tiers.map(|tier| tier.slo).chain(named).chain([alone]);
    // No success of a typed objective is so low.
    all.any(|slo| slo.clone().with_success_beside_means(0.0) != slo)
}

/// What is to be said of the options typed.
///
/// # Errors
/// One has no effect, and who typed it must know before anything is sent.
pub(crate) fn look(plan: &RunPlan, typed: &Typed) -> Result<Vec<Idle>, Failure> {
    let mut said = Vec::new();
    for row in TABLE {
        let idle = row.options.iter().filter(|id| typed.has(id));
        let mut idle = idle.filter(|_| row.place.is_of(plan, typed));
        let Some(option) = idle.find_map(|id| typed.all().find(|arg| arg.get_id() == id)) else {
            continue;
        };
        let fault = NoEffect {
            option: argument_name(option),
            place: row.place,
        };
        let hint = Hint::Instead(row.instead);
        match row.then {
            Then::Refuse => return Err(Failure::from(fault).hint(hint)),
            Then::Warn => said.push(Idle { fault, hint }),
        }
    }
    Ok(said)
}

/// An option without effect that is passed over.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{fault}; {hint}")]
pub(crate) struct Idle {
    fault: NoEffect,
    hint: Hint,
}

impl Words for Idle {
    fn zh(&self) -> String {
        format!("{}；{}", self.fault.zh(), self.hint.zh())
    }
}

#[cfg(test)]
#[path = "no_effect_tests.rs"]
mod tests;
