//! The way to the server: names, addresses, proxies, versions of HTTP.

use plimsoll_load::connect::{ConnectFault, Http2Fault, ProxyFault};
use plimsoll_load::error::LoadError;
use plimsoll_load::target::{
    AddressFault, HeaderFault, ProxyAddressFault, RouteError, TargetError,
};

use super::{Words, tls};
use crate::proxy::ProxyError;

impl Words for TargetError {
    fn zh(&self) -> String {
        match self {
            Self::Scheme { url, scheme } => {
                format!("`{url}`：只支持 http:// 和 https://，不支持 `{scheme}://`")
            }
            Self::Malformed { url, fault } => format!(
                "`{url}`：{}；写作 host:port、http://host:port 或 https://host/path",
                fault.zh()
            ),
        }
    }
}

impl Words for AddressFault {
    fn zh(&self) -> String {
        let text = match self {
            Self::Login => "主机前的用户名或密码超过 255 字节，或百分号编码不对",
            Self::Port => "端口不是 1 到 65535 的数",
            Self::Space => "地址里有空格或控制字符，应写成 %20 这样的编码",
            Self::NoHost => "没有主机",
        };
        text.to_owned()
    }
}

impl Words for RouteError {
    fn zh(&self) -> String {
        match self {
            Self::Place { text } => {
                format!("`{text}` 不是地址；写作 host、host:port 或 [IPv6]:port")
            }
            Self::ProxyScheme { scheme } => {
                format!("代理只支持 http://、socks5:// 和 socks5h://，不支持 `{scheme}://`")
            }
            Self::Proxy { fault } => format!(
                "代理地址不对：{}；写作 http://[USER:PASSWORD@]HOST:PORT",
                fault.zh()
            ),
        }
    }
}

impl Words for ProxyAddressFault {
    fn zh(&self) -> String {
        let text = match self {
            Self::Port => "端口不是 1 到 65535 的数",
            Self::Host => "没有主机，或主机和端口之外还有别的",
            Self::Scheme => "开头不是协议名",
            Self::Login => "用户名或密码超过 255 字节，或百分号编码不对",
        };
        text.to_owned()
    }
}

impl Words for ProxyError {
    fn zh(&self) -> String {
        format!("`{}`：{}", self.from, self.fault.zh())
    }
}

impl Words for LoadError {
    fn zh(&self) -> String {
        match self {
            Self::Worker(error) => format!("无法启动工作线程：{}", error.zh()),
            Self::Resolve { host, source } => {
                format!("`{host}` 没有地址：「{source}」")
            }
            Self::SourceIp { ip, source } => {
                format!("不能从 `{ip}` 发起连接，它不是本机的地址：{}", source.zh())
            }
            Self::OtherFamily { host, missing } => {
                format!("给出的本机地址都到不了 `{host}`，它只有 {missing} 地址")
            }
            Self::Tls(error) => format!("无法建立 TLS：{}", error.zh()),
            Self::WorkerLost => "一个工作线程意外停止；这是本程序的错".into(),
        }
    }
}

impl Words for ConnectFault {
    fn zh(&self) -> String {
        match self {
            Self::Bind { source_ip, error } => format!("绑定 {source_ip}：{}", error.zh()),
            Self::Tcp { address, error } => format!("连接 {address}：{}", error.zh()),
            Self::Proxy { proxy, fault } => format!("代理 {proxy} {}", fault.zh()),
            Self::Tls { peer, error } => format!("与 {peer} 的 TLS 握手：{}", tls::socket(error)),
            Self::Http2 { fault } => format!("没有 HTTP/2：{}", fault.zh()),
        }
    }
}

impl Words for Http2Fault {
    fn zh(&self) -> String {
        let text = match self {
            Self::NotAgreed => "服务在 TLS 握手中没有同意",
            Self::OldHttp => "服务以 HTTP/1.1 回答",
            Self::NoHttp => "服务的回答不是任何版本的 HTTP",
            Self::Closed => "服务在第一帧就关闭了连接",
            Self::NoStreams => "服务不接受任何流",
            Self::Library(said) => return format!("「{said}」"),
        };
        text.to_owned()
    }
}

impl Words for ProxyFault {
    fn zh(&self) -> String {
        let text = match self {
            Self::Unreachable(fault) => return format!("无法连接：{}", fault.zh()),
            Self::BrokeOff(error) => return format!("中途断开：{}", error.zh()),
            Self::Refused { status: 407, .. } => return "拒绝：407，需要用户名和密码".into(),
            Self::Refused { status, reason } if reason.is_empty() => {
                return format!("拒绝：{status}");
            }
            Self::Refused { status, reason } => return format!("拒绝：{status}「{reason}」"),
            Self::LongHead { most } => return format!("发来的头部超过 {most} 字节"),
            Self::NotHttp(said) => return format!("的回答不是 HTTP：「{said}」"),
            Self::Reply(reply) => return format!("拒绝：{}", meaning(*reply)),
            Self::Closed => "没有回答就关闭了连接",
            Self::Unasked => "发来了没人要的数据",
            Self::NotSocks => "不支持 SOCKS5",
            Self::WantsLogin => "拒绝：需要用户名和密码",
            Self::TakesNoLogin => "拒绝：不接受用户名和密码",
            Self::WrongLogin => "不接受这个用户名或密码",
            Self::LongName => "不支持超过 255 字节的名字",
            Self::Nowhere => "没有可连接的地址",
        };
        text.to_owned()
    }
}

/// What a reply of SOCKS5 means (RFC 1928 §6).
fn meaning(reply: u8) -> String {
    let known = match reply {
        1 => "一般性失败",
        2 => "其规则不允许这个连接",
        3 => "它到不了服务所在的网络",
        4 => "它到不了服务",
        5 => "服务拒绝了它",
        6 => "到服务的跳数太多",
        7 => "它不建立连接",
        8 => "它不认识这类地址；socks5h:// 由它来解析名字",
        other => return format!("应答码 {other}"),
    };
    known.to_owned()
}

impl Words for HeaderFault {
    fn zh(&self) -> String {
        match self {
            Self::Form => "头写作 'Name: value'".into(),
            Self::Name => "冒号前不是头的名字：头写作 'Name: value'".to_owned(),
            Self::Value(name) => format!("头 `{name}` 的值里有换行或其他控制字符"),
            Self::Key(variable) => format!("{variable} 里的密钥含有换行或其他控制字符"),
            Self::Taken(name) => format!("头 `{name}` 属于连接，不能设置"),
        }
    }
}
