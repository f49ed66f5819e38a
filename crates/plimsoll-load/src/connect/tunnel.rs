//! A way through a proxy, once the socket reaches it: CONNECT for HTTP proxies.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ProxyFault;
use super::socks::Socks;
use crate::target::{Proxy, Target};

/// Longest answer head of a proxy, bytes, and the headers in it.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// What is said to the proxy before it passes bytes on.
#[derive(Debug)]
pub(super) enum Tunnel {
    /// Nothing: each request says where it goes.
    Forward,
    /// CONNECT.
    Connect(ConnectRequest),
    /// SOCKS5.
    Socks(Socks),
}

/// The bytes of a CONNECT request; they may hold a password.
pub(super) struct ConnectRequest(Vec<u8>);

impl std::fmt::Debug for ConnectRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CONNECT")
    }
}

impl ConnectRequest {
    pub(super) fn new(target: &Target, proxy: &Proxy) -> Self {
        let authority = target.authority();
        let version = env!("CARGO_PKG_VERSION");
        let login = proxy.authorization().map_or(String::new(), |value| {
            format!("Proxy-Authorization: {value}\r\n")
        });
        Self(
            format!(
                "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\
                 User-Agent: plimsoll/{version}\r\n{login}\r\n"
            )
            .into_bytes(),
        )
    }
}

impl Tunnel {
    /// Makes the proxy pass bytes on.
    ///
    /// # Errors
    /// The proxy does something else.
    pub(super) async fn open(&self, socket: &mut TcpStream) -> Result<(), ProxyFault> {
        match self {
            Self::Forward => Ok(()),
            Self::Connect(request) => {
                socket
                    .write_all(&request.0)
                    .await
                    .map_err(ProxyFault::BrokeOff)?;
                read_answer(socket).await
            }
            Self::Socks(socks) => socks.open(socket).await,
        }
    }
}

async fn read_answer(socket: &mut TcpStream) -> Result<(), ProxyFault> {
    let mut head = Vec::with_capacity(512);
    loop {
        let count = socket
            .read_buf(&mut head)
            .await
            .map_err(ProxyFault::BrokeOff)?;
        if count == 0 {
            return Err(ProxyFault::Closed);
        }
        if let Some(length) = parse_answer(&head)? {
            // A server that speaks TLS waits for the client.
            return if length == head.len() {
                Ok(())
            } else {
                Err(ProxyFault::Unasked)
            };
        }
        if head.len() > MAX_HEAD {
            return Err(ProxyFault::LongHead { most: MAX_HEAD });
        }
    }
}

/// The length of a whole head that agrees; `None` if more is to come.
fn parse_answer(head: &[u8]) -> Result<Option<usize>, ProxyFault> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response
        .parse(head)
        .map_err(|error| ProxyFault::NotHttp(error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    match response.code.unwrap_or_default() {
        200..=299 => Ok(Some(length)),
        status => Err(ProxyFault::Refused {
            status,
            reason: response.reason.unwrap_or_default().to_owned(),
        }),
    }
}
