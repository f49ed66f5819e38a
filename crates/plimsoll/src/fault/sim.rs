//! The built-in engine and its server.

use plimsoll_sim::{FaultError, ParamError, SimError};
use thiserror::Error;

use super::{Words, chain};

/// Why there is no built-in engine.
#[derive(Debug, Error)]
pub(crate) enum EngineFault {
    /// No profile of this name.
    #[error("there is no profile `{0}`")]
    NoProfile(String),
    /// The server does not start.
    #[error("{}", chain(.0))]
    Start(#[from] SimError),
    /// `--faults` is no JSON, or of another form.
    #[error("--faults: {0}")]
    FaultsJson(serde_json::Error),
    /// `--faults` asks for more than there is.
    #[error("--faults: {0}")]
    Faults(FaultError),
}

impl From<ParamError> for EngineFault {
    fn from(error: ParamError) -> Self {
        Self::Start(error.into())
    }
}

impl Words for EngineFault {
    fn zh(&self) -> String {
        match self {
            Self::NoProfile(name) => format!("没有型号 `{name}`"),
            Self::Start(error) => error.zh(),
            Self::FaultsJson(error) => format!("--faults：{}", error.zh()),
            Self::Faults(error) => format!("--faults：{}", error.zh()),
        }
    }
}

impl Words for SimError {
    fn zh(&self) -> String {
        match self {
            Self::Params(error) => error.zh(),
            Self::Faults(error) => error.zh(),
            Self::Bind { bind, source } => format!("无法监听 `{bind}`：{}", source.zh()),
            Self::Pem { path, source } => format!("无法读取 `{}`：「{source}」", path.display()),
            Self::Tls(error) => format!("无法建立 TLS：「{error}」"),
            Self::ClientCa(error) => format!("无法校验客户端证书：「{error}」"),
            Self::Thread(error) => format!("无法启动服务的线程：{}", error.zh()),
        }
    }
}

impl Words for ParamError {
    fn zh(&self) -> String {
        match self {
            Self::Time { name, bound, value } => {
                format!("引擎参数 `{name}` 必须有限且 {bound}，而给出的是 `{value}`")
            }
            Self::Count { name, least, value } => {
                format!("引擎参数 `{name}` 至少为 {least}，而给出的是 `{value}`")
            }
        }
    }
}

impl Words for FaultError {
    fn zh(&self) -> String {
        match self {
            Self::Share { name, value } => {
                format!("`{name}` 必须在 0 到 1 之间，而给出的是 `{value}`")
            }
            Self::Sum { sum } => format!("各项比例之和不能超过 1，而给出的是 `{sum}`"),
        }
    }
}
