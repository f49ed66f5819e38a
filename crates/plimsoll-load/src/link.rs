//! A connection and the protocol on it: what was asked for, what the server chose.

use std::rc::Rc;

use plimsoll_core::record::ConnectTimes;

use crate::connect::{ConnectFault, Connector, HTTP_2, Http2Fault};
use crate::connection::Connection;
use crate::http2::Http2Connection;
use crate::stamps::Stamps;
use crate::target::HttpChoice;

/// A new connection by its protocol.
pub(crate) enum Link {
    /// For one request at a time.
    Http1(Connection),
    /// For many.
    Http2(Rc<Http2Connection>),
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
    let connection = Http2Connection::open(connection, Rc::clone(stamps))
        .await
        .map_err(fault)?;
    let took = connector.clock().now().since(before);
    // The handshake of HTTP/2 belongs to the stage that it follows.
    match &mut times.tls {
        Some(tls) => *tls += took,
        None => times.tcp += took,
    }
    Ok((Link::Http2(connection), times))
}
