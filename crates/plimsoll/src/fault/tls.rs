//! Certificates, keys and handshakes.

use std::io;

use plimsoll_load::connect::{TlsFault, TlsMeaning};
use plimsoll_load::error::{PemFault, TlsSetupError};

use super::Words;

impl Words for TlsSetupError {
    fn zh(&self) -> String {
        match self {
            Self::File { file, fault } => format!("`{}`：{}", file.display(), fault.zh()),
            Self::NoRoots => {
                "本机没有任何 CA 证书；用 --cacert FILE 指定一个，或用 --insecure 接受任何证书"
                    .into()
            }
            Self::HostName(host) => format!("`{host}` 不是证书可以使用的名字"),
            Self::Library(said) => format!("「{said}」"),
        }
    }
}

impl Words for PemFault {
    fn zh(&self) -> String {
        match self {
            Self::Io(error) => format!("无法读取：{}", error.zh()),
            Self::NoCertificate => "文件里没有 PEM 证书".into(),
            Self::NoKey => "文件里没有 PEM 私钥（PKCS#8、SEC1 或 PKCS#1）；\
                            加密的私钥可用 `openssl pkey -in FILE -out PLAIN` 解开"
                .into(),
            Self::OtherKey(file) => format!("这不是 `{}` 中证书的私钥", file.display()),
            Self::Library(said) => format!("「{said}」"),
        }
    }
}

impl Words for TlsFault {
    fn zh(&self) -> String {
        match self.meaning {
            Some(meaning) => format!("「{}」；{}", self.said, meaning.zh()),
            None => format!("「{}」", self.said),
        }
    }
}

impl Words for TlsMeaning {
    fn zh(&self) -> String {
        let text = match self {
            Self::UnknownIssuer => {
                "证书的签发者不受信任：用 --cacert FILE 信任它或其签发者，或用 --insecure 接受任何证书"
            }
            Self::OtherName => {
                "证书不是给这个名字的：改用证书上的名字（--connect-to 可让它连到别的地址），或用 --insecure"
            }
            Self::BadCertificate => "用 --insecure 可接受任何证书",
            Self::WantsCertificate => "服务要求客户端证书：--cert FILE --key FILE",
            Self::ClientRefused => "服务不接受 --cert 给出的证书",
            Self::OtherHttp => "服务使用另一种 HTTP 版本：--http 1.1、2 或 auto",
            Self::NoTls => "这个端口支持 TLS 吗？不支持就写 http://",
        };
        text.to_owned()
    }
}

/// An error of a socket that may carry TLS.
pub(super) fn socket(error: &io::Error) -> String {
    match TlsFault::of(error) {
        Some(fault) => fault.zh(),
        None => error.zh(),
    }
}
