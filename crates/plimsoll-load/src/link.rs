//! A connection and the protocol on it: what was asked for, what the server chose.

use std::rc::Rc;

use plimsoll_core::record::ConnectTimes;

use crate::connect::{ConnectFault, Connector, Http2Fault};
use crate::connection::Connection;
use crate::http2::Session;
use crate::stamps::Stamps;
use crate::target::HttpChoice;

/// What ALPN calls the versions.
const HTTP_1_1: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";

/// A new connection by its protocol.
pub(crate) enum Link {
    /// For one request at a time.
    Http1(Connection),
    /// For many.
    Http2(Rc<Session>),
}

/// What TLS offers, best first.
pub(crate) fn alpn(choice: HttpChoice) -> Vec<Vec<u8>> {
    match choice {
        HttpChoice::Http1 => vec![HTTP_1_1.to_vec()],
        HttpChoice::Http2 => vec![HTTP_2.to_vec()],
        HttpChoice::Auto => vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()],
    }
}

/// Makes a connection that is ready for a request. It must run where tasks can be local.
///
/// # Errors
/// A stage failed; the fault says which.
pub(crate) async fn open(
    connector: &Connector,
    choice: HttpChoice,
    stamps: &Rc<Stamps>,
) -> Result<(Link, ConnectTimes), ConnectFault> {
    let connected = connector.connect().await?;
    let (connection, mut times) = (connected.connection, connected.times);
    let is_http2 = if connection.is_tls() {
        connection.protocol() == Some(HTTP_2)
    } else {
        choice == HttpChoice::Http2
    };
    let fault = |fault| ConnectFault::Http2 { fault };
    if !is_http2 {
        return match choice {
            HttpChoice::Http2 => Err(fault(Http2Fault::NotAgreed)),
            _ => Ok((Link::Http1(connection), times)),
        };
    }
    let before = connector.clock().now();
    let session = Session::open(connection, Rc::clone(stamps))
        .await
        .map_err(fault)?;
    let took = connector.clock().now().since(before);
    // The handshake of HTTP/2 belongs to the stage that it follows.
    match &mut times.tls {
        Some(tls) => *tls += took,
        None => times.tcp += took,
    }
    Ok((Link::Http2(session), times))
}
