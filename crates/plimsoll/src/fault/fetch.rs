//! One small request that gets no answer.

use plimsoll_core::wire::HttpFault;
use plimsoll_load::fetch::{BreakFault, FetchError};

use super::{Words, tls};

impl Words for FetchError {
    fn zh(&self) -> String {
        match self {
            Self::Setup(error) => error.zh(),
            Self::Connect { authority, source } => {
                format!("无法连接 {authority}：{}", source.zh())
            }
            Self::Tls { authority, fault } => format!("与 {authority} 的 TLS 出错：{}", fault.zh()),
            Self::Broken { authority, fault } => {
                format!("{authority} 没有回答就关闭了连接：{}", fault.zh())
            }
            Self::NotHttp { authority, fault } => {
                format!("{authority} 的回答不是 HTTP：{}", fault.zh())
            }
            Self::TimedOut { authority, timeout } => {
                format!("{authority} 在 {} 秒内没有回答", timeout.as_secs_f64())
            }
        }
    }
}

impl Words for BreakFault {
    fn zh(&self) -> String {
        match self {
            Self::Io(error) => tls::socket(error),
            Self::Http(fault) => fault.zh(),
            Self::Http2(said) => format!("「{said}」"),
        }
    }
}

impl Words for HttpFault {
    fn zh(&self) -> String {
        match self {
            Self::NotHttp(said) => format!("回答不是 HTTP/1.1：「{said}」"),
            Self::HeadTooLong => "回答的头部太长".into(),
            Self::BadLength(said) => format!("回答给出的长度不成立：「{said}」"),
            Self::UnknownCoding(coding) => format!(
                "回答用了没有要求、这里也不认识的编码「{coding}」；请在服务端或它前面的网关上关闭"
            ),
            Self::BadCoding => "回答的内容与它声明的编码不符".into(),
            Self::DoesNotEnd(most) => format!("回答没有尽头：已超过 {most} 字节"),
            Self::DecodesToTooMuch => "回答没有尽头：解码后长得不可能".into(),
            Self::BadChunk => "分块编码有误".into(),
            Self::Truncated => "回答没有结束，连接就关闭了".into(),
        }
    }
}
