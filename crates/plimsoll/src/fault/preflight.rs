//! What the server is not, found out before the load.

use plimsoll_core::outcome::Outcome;
use plimsoll_load::connect::ConnectFault;
use plimsoll_load::error::LoadError;
use plimsoll_load::fetch::FetchError;
use plimsoll_load::preflight::PreflightError;

use super::{Hint, Words};

impl Words for PreflightError {
    fn zh(&self) -> String {
        match self {
            Self::Load(error) => error.zh(),
            Self::Fetch(error) => error.zh(),
            Self::Unauthorized { status, url, .. } => {
                format!("{url} 回答 {status}：缺少 API 密钥，或密钥不对")
            }
            Self::Redirected { url, to } => match to {
                Some(to) => format!("{url} 重定向到 {to}"),
                None => format!("{url} 重定向到别处"),
            },
            Self::WebPage { url } => format!("{url} 是网页，不是接口"),
            Self::NotAnApi { url } => format!("{url} 不是已知接口的模型列表"),
            Self::UnknownModel { name, served } => {
                format!("服务没有模型 `{name}`；它提供：{served}")
            }
            Self::NoModels => "服务没有列出任何模型".into(),
            Self::TooLong { wanted, limit } => {
                format!("输入加输出最长 {wanted} token，而服务的上下文只有 {limit}")
            }
            Self::NoEndpoint { tried, detail } => {
                let paths: Vec<&str> = tried.iter().map(|one| one.path()).collect();
                format!("服务没有接受发往 {} 的请求：「{detail}」", paths.join("、"))
            }
            Self::FirstRequest { outcome, detail } => {
                format!("第一个请求失败（{}）：「{detail}」", how(*outcome))
            }
            Self::NoAnswer { seconds } => format!("第一个请求在 {seconds} 秒内没有回答"),
        }
    }
}

/// How a request ended.
fn how(outcome: Outcome) -> String {
    let text = match outcome {
        Outcome::HttpStatus { status } => return format!("HTTP {status}"),
        Outcome::Completed => "完成",
        Outcome::Connect => "连接失败",
        Outcome::Tls => "TLS 出错",
        Outcome::Reset => "连接断开",
        Outcome::TimedOut => "超时",
        Outcome::Malformed => "回答格式不对",
        Outcome::ErrorEvent => "流中出错",
        Outcome::EndedEarly => "流提前结束",
        Outcome::Empty => "没有输出",
        Outcome::CutAtEnd => "被截断",
        Outcome::NeverSent => "没有发出",
    };
    text.to_owned()
}

/// The way out, where there is one to name.
pub(super) fn hint(error: &PreflightError) -> Option<Hint> {
    Some(match error {
        PreflightError::Load(error) => return by_load(error),
        PreflightError::Fetch(error) => return by_fetch(error),
        PreflightError::Unauthorized { protocol, .. } => Hint::ApiKey {
            variable: protocol.key_variable(),
        },
        PreflightError::Redirected { .. } => Hint::FollowRedirect,
        PreflightError::WebPage { .. } | PreflightError::NotAnApi { .. } => Hint::ApiAddress,
        PreflightError::UnknownModel { .. } => Hint::ChooseModel,
        PreflightError::NoModels => Hint::NameModel,
        PreflightError::TooLong { .. } => Hint::ShorterRequests,
        PreflightError::NoEndpoint { .. } => Hint::ChooseEndpoint,
        PreflightError::NoAnswer { .. } => Hint::MoreTime,
        PreflightError::FirstRequest { .. } => return None,
    })
}

fn by_load(error: &LoadError) -> Option<Hint> {
    match error {
        LoadError::Resolve { .. } => Some(Hint::HostName),
        LoadError::SourceIp { .. } => Some(Hint::LocalAddresses),
        LoadError::OtherFamily { .. } => Some(Hint::OtherFamily),
        LoadError::Worker(_) | LoadError::Tls(_) | LoadError::WorkerLost => None,
    }
}

fn by_fetch(error: &FetchError) -> Option<Hint> {
    match error {
        FetchError::Setup(error) => by_load(error),
        FetchError::Connect { source, .. } => match source {
            ConnectFault::Tcp { .. } => Some(Hint::IsItRunning),
            ConnectFault::Proxy { .. } => Some(Hint::AroundTheProxy),
            ConnectFault::Http2 { .. } => Some(Hint::LeaveHttp2),
            ConnectFault::Bind { .. } | ConnectFault::Tls { .. } => None,
        },
        FetchError::Broken { .. } | FetchError::NotHttp { .. } => Some(Hint::IsItHttp),
        FetchError::TimedOut { .. } => Some(Hint::MoreTime),
        FetchError::Tls { .. } => None,
    }
}
