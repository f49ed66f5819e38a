//! The client's side of SOCKS5 (RFC 1928) with user and password (RFC 1929).

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ProxyFault;
use crate::target::{Login, Proxy};

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const WITH_LOGIN: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Where the proxy is to connect to.
#[derive(Debug)]
pub(super) enum Destination {
    /// Addresses that were resolved here, in turn.
    Addresses(Vec<SocketAddr>),
    /// A name that the proxy resolves.
    Name(String, u16),
}

/// What is said to a SOCKS5 proxy.
#[derive(Debug)]
pub(super) struct Socks {
    login: Option<Login>,
    destination: Destination,
    turn: AtomicUsize,
}

impl Socks {
    pub(super) fn new(proxy: &Proxy, destination: Destination) -> Self {
        Self {
            login: proxy.login.clone(),
            destination,
            turn: AtomicUsize::new(0),
        }
    }

    /// Makes the proxy pass bytes on.
    pub(super) async fn open(&self, socket: &mut TcpStream) -> Result<(), ProxyFault> {
        let offer: &[u8] = if self.login.is_some() {
            &[VERSION, 2, NO_LOGIN, WITH_LOGIN]
        } else {
            &[VERSION, 1, NO_LOGIN]
        };
        send(socket, offer).await?;
        match (receive(socket).await?, &self.login) {
            ([VERSION, NO_LOGIN], _) => {}
            ([VERSION, WITH_LOGIN], Some(login)) => log_in(socket, login).await?,
            ([VERSION, _], None) => {
                return Err(ProxyFault::WantsLogin);
            }
            ([VERSION, _], Some(_)) => {
                return Err(ProxyFault::TakesNoLogin);
            }
            _ => return Err(ProxyFault::NotSocks),
        }
        send(socket, &self.request()?).await?;
        let [version, reply, _, kind] = receive(socket).await?;
        if version != VERSION {
            return Err(ProxyFault::NotSocks);
        }
        if reply != 0 {
            return Err(ProxyFault::Reply(reply));
        }
        // The address that the proxy has bound says nothing to us.
        match kind {
            IPV4 => receive::<6>(socket).await.map(|_| ()),
            IPV6 => receive::<18>(socket).await.map(|_| ()),
            NAME => skip_name(socket).await,
            _ => Err(ProxyFault::NotSocks),
        }
    }

    fn request(&self) -> Result<Vec<u8>, ProxyFault> {
        let mut bytes = vec![VERSION, CONNECT, 0];
        let port = match &self.destination {
            Destination::Addresses(addresses) => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                let address = turn
                    .checked_rem(addresses.len())
                    .and_then(|at| addresses.get(at))
                    .ok_or(ProxyFault::Nowhere)?;
                match address.ip() {
                    IpAddr::V4(ip) => {
                        bytes.push(IPV4);
                        bytes.extend(ip.octets());
                    }
                    IpAddr::V6(ip) => {
                        bytes.push(IPV6);
                        bytes.extend(ip.octets());
                    }
                }
                address.port()
            }
            Destination::Name(name, port) => {
                bytes.push(NAME);
                push_text(&mut bytes, name)?;
                *port
            }
        };
        bytes.extend(port.to_be_bytes());
        Ok(bytes)
    }
}

async fn log_in(socket: &mut TcpStream, login: &Login) -> Result<(), ProxyFault> {
    let mut bytes = vec![LOGIN_VERSION];
    push_text(&mut bytes, login.user.expose())?;
    push_text(&mut bytes, login.password.expose())?;
    send(socket, &bytes).await?;
    match receive(socket).await? {
        [_, 0] => Ok(()),
        [_, _] => Err(ProxyFault::WrongLogin),
    }
}

async fn skip_name(socket: &mut TcpStream) -> Result<(), ProxyFault> {
    let [length] = receive(socket).await?;
    for _ in 0..usize::from(length) + 2 {
        let _: [u8; 1] = receive(socket).await?;
    }
    Ok(())
}

/// A text with its length before it, which is one byte.
fn push_text(bytes: &mut Vec<u8>, text: &str) -> Result<(), ProxyFault> {
    let length = u8::try_from(text.len()).map_err(|_| ProxyFault::LongName)?;
    bytes.push(length);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

async fn send(socket: &mut TcpStream, bytes: &[u8]) -> Result<(), ProxyFault> {
    let sent = socket.write_all(bytes).await;
    sent.map_err(ProxyFault::BrokeOff)
}

async fn receive<const N: usize>(socket: &mut TcpStream) -> Result<[u8; N], ProxyFault> {
    let mut bytes = [0; N];
    let read = socket.read_exact(&mut bytes).await;
    read.map_err(ProxyFault::BrokeOff)?;
    Ok(bytes)
}
