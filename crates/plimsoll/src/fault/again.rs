//! A run of the past that is gone on with, or judged again.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use super::Words;

/// Why a run is not gone on with, or not judged again.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum AgainFault {
    #[error("the run in `{}` holds one load, and that is not resumed", .0.display())]
    HoldsOneLoad(PathBuf),
    #[error("the run holds one load, and searches for none")]
    SearchesForNone,
    #[error(
        "the run in `{}` is of an older format (schema version 1), which is read and no longer \
         written",
        .0.display()
    )]
    OlderFormat(PathBuf),
    #[error("the run in `{}` is finished; nothing to resume", .0.display())]
    Finished(PathBuf),
    #[error("the run in `{}` has its answer: more time leaves nothing to do", .0.display())]
    NothingOpen(PathBuf),
    #[error("--budget {total:.0?} is for the whole run, and it has had {elapsed:.0?}")]
    TimeGone { total: Duration, elapsed: Duration },
    #[error("runs that are compared have one budget: with --budget go on with one of them")]
    OneBudget,
    #[error("all runs are finished; nothing to resume")]
    AllFinished,
    #[error("the run was begun by plimsoll {then}, and this is {now}: they may judge differently")]
    OtherVersion { then: String, now: &'static str },
    #[error(
        "`proxy` of the saved plan is {}, and now it would be {}",
        or_none(then.as_deref()),
        or_none(now.as_deref())
    )]
    OtherProxy {
        then: Option<String>,
        now: Option<String>,
    },
    #[error(
        "this is not the server that the run began with: `{field}` was {then}, and now it is {now}"
    )]
    OtherServer {
        field: String,
        then: Value,
        now: Value,
    },
    #[error("the header `{name}` of the saved plan was not given again")]
    HeaderNotSaved { name: String },
    #[error("the address of the saved plan holds what was not saved")]
    AddressNotSaved,
    #[error("`{name}` was not given when the run began")]
    WasNotGiven { name: String },
    #[error("`{name}` is {then} in the saved run, not {now}")]
    WasOther {
        name: String,
        then: String,
        now: String,
    },
    #[error("its load was not held to the end: it cannot be judged again")]
    NotHeld,
}

fn or_none(proxy: Option<&str>) -> &str {
    proxy.unwrap_or("none")
}

impl Words for AgainFault {
    fn zh(&self) -> String {
        match self {
            Self::HoldsOneLoad(path) => {
                format!("`{}` 里的测试只保持一个负载，不能接着做", path.display())
            }
            Self::HeaderNotSaved { name } => format!("没有再给出保存的计划里的头 `{name}`"),
            Self::AddressNotSaved => "保存的计划里，地址有一部分没有保存".into(),
            Self::SearchesForNone => "这次测试只保持一个负载，不是搜索".into(),
            Self::OlderFormat(path) => format!(
                "`{}` 里的测试是旧格式（版本 1），只能读，不再写",
                path.display()
            ),
            Self::Finished(path) => {
                format!("`{}` 里的测试已经做完，没有可接着做的", path.display())
            }
            Self::NothingOpen(path) => {
                format!(
                    "`{}` 里的测试已有结论：再加时间也没有可做的",
                    path.display()
                )
            }
            Self::TimeGone { total, elapsed } => {
                format!("--budget {total:.0?} 是整个测试的时间，而它已经用了 {elapsed:.0?}")
            }
            Self::OneBudget => {
                "要比较的各遍，时间预算必须相同：要加 --budget，请只接着做其中一遍".into()
            }
            Self::AllFinished => "各遍都已做完，没有可接着做的".into(),
            Self::OtherVersion { then, now } => {
                format!("测试由 plimsoll {then} 开始，而这是 {now}：两者的判定可能不同")
            }
            Self::OtherProxy { then, now } => format!(
                "保存的计划里 `proxy` 是 {}，而现在是 {}",
                then.as_deref().unwrap_or("无"),
                now.as_deref().unwrap_or("无")
            ),
            Self::OtherServer { field, then, now } => {
                format!("这不是测试开始时的服务：`{field}` 原为 {then}，现为 {now}")
            }
            Self::WasNotGiven { name } => format!("测试开始时没有给 `{name}`"),
            Self::WasOther { name, then, now } => {
                format!("保存的测试里 `{name}` 是 {then}，不是 {now}")
            }
            Self::NotHeld => "这次测试没有把负载保持到底，无法重新判定".into(),
        }
    }
}
