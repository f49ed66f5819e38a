//! What a proxy does instead of passing bytes on.

use std::io;

use thiserror::Error;

use super::ConnectFault;
use super::fault::words;

/// Why a proxy passes nothing on, as words that follow "the proxy HOST:PORT".
#[derive(Debug, Error)]
pub enum ProxyFault {
    /// No connection to it.
    #[error("cannot be reached: {0}")]
    Unreachable(Box<ConnectFault>),
    /// The socket broke in the middle.
    #[error("broke off: {}", words(.0))]
    BrokeOff(io::Error),
    /// It went away without a word.
    #[error("closed the connection without an answer")]
    Closed,
    /// It refuses by a status line.
    #[error("refused: {}", status_line(*.status, .reason))]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says beside the status, perhaps nothing.
        reason: String,
    },
    /// More came than its agreement.
    #[error("sent bytes that nobody asked for")]
    Unasked,
    /// Its answer has no end.
    #[error("sent more than {most} bytes of headers")]
    LongHead {
        /// The bound.
        most: usize,
    },
    /// Its answer is not HTTP, in the words of the parser.
    #[error("does not answer in HTTP: {0}")]
    NotHttp(String),
    /// Its answer is not SOCKS5.
    #[error("does not speak SOCKS5")]
    NotSocks,
    /// SOCKS5: it wants to know who asks.
    #[error("refused: it wants a user and a password")]
    WantsLogin,
    /// SOCKS5: it does not want to know who asks.
    #[error("refused: it takes no user and password")]
    TakesNoLogin,
    /// SOCKS5: it does not know who asks.
    #[error("refused the user or the password")]
    WrongLogin,
    /// SOCKS5: it did not connect (RFC 1928 §6).
    #[error("refused: {}", meaning(*.0))]
    Reply(u8),
    /// SOCKS5: a name, user or password does not fit.
    #[error("cannot be told a name of more than 255 bytes")]
    LongName,
    /// SOCKS5: the target has no address.
    #[error("has nowhere to connect to")]
    Nowhere,
}

/// A status with its reason; 407 often comes without.
fn status_line(status: u16, reason: &str) -> String {
    match (status, reason) {
        (407, "") => "407 Proxy Authentication Required".to_owned(),
        _ => format!("{status} {reason}").trim_end().to_owned(),
    }
}

/// What a reply means (RFC 1928 §6).
fn meaning(reply: u8) -> String {
    let known = match reply {
        1 => "general failure",
        2 => "its rules do not allow the connection",
        3 => "it cannot reach the server's network",
        4 => "it cannot reach the server",
        5 => "the server refused it",
        6 => "the server is too many hops away",
        7 => "it makes no connections",
        8 => "it does not know this kind of address; socks5h:// lets it look up the name",
        other => return format!("reply {other}"),
    };
    known.to_owned()
}
