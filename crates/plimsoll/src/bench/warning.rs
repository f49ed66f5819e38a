//! What a person should know of a run that goes on.

use plimsoll_core::level::Shortfall;
use plimsoll_report::lang::Lang;
use plimsoll_report::words;
use thiserror::Error;

use crate::fault::Words;

/// Something that does not stop a run.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum Warning {
    #[error(
        "requests go through the proxy {0} of the environment; name the server in NO_PROXY to go \
         straight"
    )]
    Proxied(String),
    #[error("--logprobs has no effect but on completions")]
    Logprobs,
    #[error("{0} cannot fix the length of an answer: answers may be shorter than asked")]
    AnswerLength(&'static str),
    #[error("--{0} has no effect without --save-result: nothing is saved")]
    NothingSaved(&'static str),
    #[error(
        "sharegpt rows are chosen by an estimate of 1.3 tokens a word (1 a Chinese, Japanese or \
         Korean character), as there is no tokenizer"
    )]
    EstimatedRows,
    #[error("custom prompts are sent as they are, without a chat template")]
    NoTemplate,
    #[error("the file has {available} usable rows of the {asked} asked for")]
    FewRows { available: usize, asked: usize },
    #[error(
        "the file has {available} usable rows of the {asked} asked for: rows are sent again, which \
         a prefix cache answers faster"
    )]
    RowsAgain { available: usize, asked: usize },
    #[error("--dataset-path without --dataset-name: reading `{path}` as {name}")]
    GuessedDataset { path: String, name: &'static str },
    #[error("random prompts need no file: `{0}` is not read")]
    FileNotRead(String),
    #[error("the request before the run failed ({0})")]
    FirstFailed(String),
    #[error(
        "the server does not know the model `{asked}` and serves only `{served}`: requests name that"
    )]
    OtherModel { asked: String, served: String },
    #[error("the server takes no token ids: prompts are words of about the length asked for")]
    NoTokenIds,
    #[error("the server does not tell how long prompts are: one token a word is assumed")]
    NoPromptLength,
    #[error("{failed} of {all} warm-ups failed")]
    WarmUps { failed: usize, all: usize },
    #[error("interrupted: {ended} of {all} requests had ended; what follows is of those")]
    Interrupted { ended: usize, all: usize },
    #[error(
        "this client was too late, and its figures may be wrong: {}; give it more cores",
        words::shortfall(.0, Lang::En)
    )]
    Late(Shortfall),
}

impl Words for Warning {
    fn zh(&self) -> String {
        match self {
            Self::Proxied(proxy) => {
                format!("请求经环境变量给出的代理 {proxy} 发出；要直连，请把服务写进 NO_PROXY")
            }
            Self::Logprobs => "--logprobs 只对 completions 有效".into(),
            Self::AnswerLength(path) => {
                format!("{path} 不能固定输出长度：输出可能比要求的短")
            }
            Self::NothingSaved(name) => {
                format!("没有 --save-result 时 --{name} 无效：什么都不保存")
            }
            Self::EstimatedRows => "没有分词器，sharegpt 的行按估算选取：每个词 1.3 个 token，\
                                    中日韩文字每字 1 个"
                .into(),
            Self::NoTemplate => "custom 的提示词原样发送，不套对话模板".into(),
            Self::FewRows { available, asked } => {
                format!("要 {asked} 行，文件里可用的只有 {available} 行")
            }
            Self::RowsAgain { available, asked } => format!(
                "要 {asked} 行，文件里可用的只有 {available} 行：有些行会重复发送，前缀缓存会答得更快"
            ),
            Self::GuessedDataset { path, name } => {
                format!("给了 --dataset-path 而没有 --dataset-name：把 `{path}` 当作 {name} 读取")
            }
            Self::FileNotRead(path) => format!("随机提示词不需要文件：不读 `{path}`"),
            Self::FirstFailed(seen) => format!("开始前的请求失败（「{seen}」）"),
            Self::OtherModel { asked, served } => {
                format!("服务不认识模型 `{asked}`，只提供 `{served}`：请求改用后者")
            }
            Self::NoTokenIds => "服务不接受 token id：提示词改用长度相近的词".into(),
            Self::NoPromptLength => "服务不报告输入长度：按一个词一个 token 计".into(),
            Self::WarmUps { failed, all } => format!("{all} 个预热请求中有 {failed} 个失败"),
            Self::Interrupted { ended, all } => {
                format!("已被中断：{all} 个请求中结束了 {ended} 个，以下只统计这些")
            }
            Self::Late(late) => format!(
                "客户端太慢，数值可能不准：{}；请给它更多的核",
                words::shortfall(late, Lang::Zh)
            ),
        }
    }
}
