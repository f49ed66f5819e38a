//! What was asked for, and makes no sense.

use std::time::Duration;

use plimsoll_core::preset::Preset;
use thiserror::Error;

use super::Words;

/// Arguments that contradict each other, or lack something.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum AskFault {
    #[error("`plimsoll bench` has one command: `plimsoll bench serve`")]
    BenchAlone,
    #[error("argument {place} is not UTF-8: `{shown}`")]
    NotUtf8 { place: usize, shown: String },
    /// What was typed is not shown: it may be the key itself.
    #[error("--api-key-env names an environment variable that is not set, or is empty")]
    NoKey,
    #[error("`plimsoll {command}` has no {name}")]
    NotAnOption { name: String, command: String },
    #[error("no command")]
    NoCommand,
    #[error("--start {start} is above --max-concurrency {most}")]
    StartAboveMost { start: u32, most: u32 },
    #[error("--ladder goes up to {last}, and the largest load is {most}: it would end there")]
    LadderAboveMost { last: u32, most: u32 },
    #[error("--level-time {level:?} is longer than --budget {budget:?}")]
    LevelAboveBudget { level: Duration, budget: Duration },
    #[error("--budget +{0:?} is more time for a run of the past, and none is named")]
    MoreThanNothing(Duration),
    #[error("`goodput` is the share of requests that meet the other objectives, and there is none")]
    GoodputAlone,
    #[error("--rate and --concurrency are two loads, and one is held")]
    TwoLoads,
    #[error("--max-concurrency is the cap of a rate, and there is no --rate")]
    CapWithoutRate,
    #[error(
        "--preset quick sends as it is answered: neither --rate nor --max-concurrency goes with it"
    )]
    QuickHasNoRate,
    #[error("--preset realistic holds a rate, and --concurrency goes with none")]
    RealisticHasNoStreams,
    #[error("--think-time is of streams, and a rate of arrivals has none")]
    RateThinks,
    #[error("there is no load: give --rate or --concurrency")]
    NoLoad,
    #[error("--preset {0} searches for a load and holds none")]
    PresetSearches(Preset),
    #[error("--preset {0} holds one load and searches for none")]
    PresetHolds(Preset),
    #[error("--preset {preset} needs --concurrency: {}", aim(*.preset).0)]
    PresetNeedsStreams { preset: Preset },
    #[error("--preset {0} needs --rate: the requests per second you expect")]
    PresetNeedsRate(Preset),
    #[error("there are two tiers `{0}`")]
    SameTier(String),
    #[error("--slo and --slo-tier cannot be given together")]
    SloBesideTiers,
    #[error("--repeat compares answers for one SLO, and --slo-tier asks for several")]
    TiersRepeated,
    #[error(
        "--slo-tier needs lengths that vary: streams in lockstep are judged while they run, by one \
         SLO"
    )]
    TiersInLockstep,
    #[error("the run was made with --no-requests: it cannot be judged under other objectives")]
    RunHasNoRequests,
    #[error(
        "{server} is neither on this machine nor in a private network, and up to {load} streams or \
         requests per second would be put on it"
    )]
    NotMeant { load: u32, server: String },
    #[error("there is nothing to plan from: neither a server nor a target is given")]
    NothingToPlan,
    #[error("the run has no gateway cap to plan from")]
    NoCap,
    #[error("`{0}` means nothing with --from: no request is sent")]
    NothingIsSent(String),
}

/// The concurrency that a preset asks for, in both languages.
fn aim(preset: Preset) -> (&'static str, &'static str) {
    match preset {
        Preset::Soak => (
            "the best that `plimsoll find` gave",
            "`plimsoll find` 测得的最优并发",
        ),
        _ => ("the streams you aim for", "目标并发路数"),
    }
}

impl Words for AskFault {
    fn zh(&self) -> String {
        match self {
            Self::BenchAlone => "`plimsoll bench` 只有一个子命令：`plimsoll bench serve`".into(),
            Self::NotUtf8 { place, shown } => {
                format!("第 {place} 个参数不是 UTF-8 文本：`{shown}`")
            }
            Self::NoKey => "--api-key-env 指定的环境变量没有设置，或者是空的".into(),
            Self::NotAnOption { name, command } => format!("`plimsoll {command}` 没有 `{name}`"),
            Self::NoCommand => "缺少命令".into(),
            Self::StartAboveMost { start, most } => {
                format!("--start {start} 大于 --max-concurrency {most}")
            }
            Self::LadderAboveMost { last, most } => {
                format!("--ladder 到 {last} 为止，而最大负载是 {most}：测到那里就结束了")
            }
            Self::LevelAboveBudget { level, budget } => {
                format!("--level-time {level:?} 比 --budget {budget:?} 还长")
            }
            Self::MoreThanNothing(time) => {
                format!("--budget +{time:?} 是给以前的测试追加时间，而没有指明是哪一次")
            }
            Self::GoodputAlone => {
                "`goodput` 是同时满足其余目标的请求所占的比例，而这里没有其余目标".into()
            }
            Self::TwoLoads => "--rate 与 --concurrency 是两种负载，只能保持其中一种".into(),
            Self::CapWithoutRate => {
                "--max-concurrency 限制的是按 --rate 到达的请求，而没有给 --rate".into()
            }
            Self::QuickHasNoRate => {
                "--preset quick 收到回答才发下一个请求，不能与 --rate 或 --max-concurrency 同用"
                    .into()
            }
            Self::RealisticHasNoStreams => {
                "--preset realistic 按速率加压，不能与 --concurrency 同用".into()
            }
            Self::RateThinks => "--think-time 只对并发路数有意义，按速率到达的请求没有停顿".into(),
            Self::NoLoad => "没有负载：请给出 --rate 或 --concurrency".into(),
            Self::PresetSearches(preset) => {
                format!("--preset {preset} 用于搜索负载，不保持负载")
            }
            Self::PresetHolds(preset) => format!("--preset {preset} 只保持一个负载，不做搜索"),
            Self::PresetNeedsStreams { preset } => {
                format!("--preset {preset} 需要 --concurrency：{}", aim(*preset).1)
            }
            Self::PresetNeedsRate(preset) => {
                format!("--preset {preset} 需要 --rate：预期的每秒请求数")
            }
            Self::SameTier(name) => format!("有两档都叫 `{name}`"),
            Self::SloBesideTiers => "--slo 与 --slo-tier 不能同时给出".into(),
            Self::TiersRepeated => {
                "--repeat 比较同一组目标的多次结论，而 --slo-tier 给了多组目标".into()
            }
            Self::TiersInLockstep => {
                "--slo-tier 要求请求长度有变化：长度相同的各路步调一致，运行中只能按一组目标判定"
                    .into()
            }
            Self::RunHasNoRequests => {
                "这次测试用了 --no-requests，没有保留请求，无法按别的目标判定".into()
            }
            Self::NotMeant { load, server } => format!(
                "{server} 既不在本机，也不在内网，而负载最高会到 {load} 路或每秒 {load} 个请求"
            ),
            Self::NothingToPlan => "没有可换算的数：既没有服务的能力，也没有要达到的目标".into(),
            Self::NoCap => "这次测试没有得出网关上限，无从换算".into(),
            Self::NothingIsSent(name) => {
                format!("`{name}` 与 --from 同用没有意义：--from 不发送请求")
            }
        }
    }
}
