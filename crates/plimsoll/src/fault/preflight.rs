//! What the server is not, found out before the load.

use plimsoll_core::outcome::Outcome;
use plimsoll_load::connect::ConnectFault;
use plimsoll_load::error::LoadError;
use plimsoll_load::fetch::FetchError;
use plimsoll_load::preflight::PreflightError;
use plimsoll_load::target::RedirectFault;

use super::{Hint, Words};

impl Words for PreflightError {
    fn zh(&self) -> String {
        match self {
            Self::Load(error) => error.zh(),
            Self::Fetch(error) => error.zh(),
            Self::Unauthorized {
                status,
                url,
                said,
                is_key,
                ..
            } => {
                let key = if *is_key {
                    "：缺少 API 密钥，或密钥不对"
                } else {
                    ""
                };
                format!("{url} 回答 {status}{key}{}", quote(said))
            }
            Self::Redirected { url, to, why } => {
                let to = to.as_deref().unwrap_or("别处");
                format!("{url} 重定向到 {to}：{}", why.zh())
            }
            Self::NoList { url, status, said } => {
                format!("{url} 回答 {status}{}", quote(said))
            }
            Self::ContextTooShort {
                input_tokens,
                output_tokens,
                said,
            } => format!(
                "输入最长 {input_tokens} token、输出最长 {output_tokens} token，\
                 超出服务的上下文{}",
                quote(said)
            ),
            Self::PromptsCut { asked, counted } => {
                format!("服务截断了输入：发送 {asked} token，它只算 {counted}")
            }
            Self::WebPage { url } => format!("{url} 是网页，不是接口"),
            Self::NotAnApi { url } => format!("{url} 不是已知接口的模型列表"),
            Self::UnknownModel { name, served, said } => {
                let instead = if served.is_empty() {
                    quote(said)
                } else {
                    format!("；它提供：{served}")
                };
                format!("服务没有模型 `{name}`{instead}")
            }
            Self::ModelName(name) => {
                format!("服务给出的模型名 `{name}` 无法使用：超过 1024 字节，或含有不可见字符")
            }
            Self::NoModels => "服务没有列出任何模型".into(),
            Self::TooLong { wanted, limit } => {
                format!("输入加输出最长 {wanted} token，而服务的上下文只有 {limit}")
            }
            Self::NoEndpoint { tried, detail } => {
                let paths: Vec<&str> = tried.iter().map(|one| one.path()).collect();
                let paths = paths.join("、");
                format!("服务没有接受发往 {paths} 的请求{}", quote(detail))
            }
            Self::FirstRequest { outcome, detail } => {
                format!("第一个请求失败（{}）{}", how(*outcome), quote(detail))
            }
            Self::NoAnswer { seconds } => format!("第一个请求在 {seconds} 秒内没有回答"),
        }
    }
}

/// A server's words behind a colon, or nothing.
fn quote(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!("：「{said}」")
    }
}

impl Words for RedirectFault {
    fn zh(&self) -> String {
        let text = match self {
            Self::OtherOrigin => "那是另一个服务，不能让它看到密钥",
            Self::Status => "只有 307 和 308 会原样转发请求",
            Self::Nowhere => "它没有指向任何地方",
        };
        text.to_owned()
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

/// What a server answers to whom it does not know, whatever its words (RFC 9110 §15.5.2).
const UNAUTHENTICATED: u16 = 401;

/// The way out, where there is one to name.
pub(super) fn hint(error: &PreflightError) -> Option<Hint> {
    Some(match error {
        PreflightError::Load(error) => return by_load(error),
        PreflightError::Fetch(error) => return by_fetch(error),
        PreflightError::Unauthorized {
            protocol,
            is_key,
            is_list,
            status,
            ..
        } if *is_key || *status == UNAUTHENTICATED => Hint::ApiKey {
            variable: protocol.key_variable(),
            is_list: *is_list,
        },
        PreflightError::PromptsCut { .. } => Hint::LongerContext,
        PreflightError::FirstRequest {
            outcome: Outcome::HttpStatus { status: 429 | 503 },
            ..
        } => Hint::WaitLonger,
        PreflightError::Redirected { .. } => Hint::FollowRedirect,
        PreflightError::WebPage { .. } | PreflightError::NotAnApi { .. } => Hint::ApiAddress,
        PreflightError::UnknownModel { served, .. } if served.is_empty() => Hint::CheckModel,
        PreflightError::UnknownModel { .. } => Hint::ChooseModel,
        PreflightError::NoList { .. }
        | PreflightError::NoModels
        | PreflightError::ModelName(_)
        | PreflightError::Unauthorized { is_list: true, .. } => Hint::NameModel,
        PreflightError::ContextTooShort { .. } | PreflightError::TooLong { .. } => {
            Hint::ShorterRequests
        }
        PreflightError::NoEndpoint { .. } => Hint::ChooseEndpoint,
        PreflightError::NoAnswer { .. } => Hint::MoreTime,
        PreflightError::Unauthorized { .. } | PreflightError::FirstRequest { .. } => return None,
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
