//! What breaks a request on an HTTP/2 connection.

use std::io;

use h2::Reason;
use plimsoll_core::outcome::Outcome;

/// A request that broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) outcome: Outcome,
    /// In words.
    pub(crate) text: String,
    /// The server has not begun with it: it may be sent again.
    pub(crate) unprocessed: bool,
    /// The connection broke, and not the stream alone.
    pub(crate) lost: bool,
}

impl Fault {
    /// The connection did not take the request.
    pub(super) fn before_stream(error: &h2::Error) -> Self {
        Self::on_stream(error, true)
    }

    /// A stream broke; `above_last` if the server has said that it did not look at it.
    pub(super) fn on_stream(error: &h2::Error, above_last: bool) -> Self {
        let refused =
            error.is_reset() && error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM);
        Self {
            outcome: outcome(error),
            text: words(error),
            unprocessed: refused || above_last,
            lost: error.is_io() || error.is_go_away(),
        }
    }
}

fn outcome(error: &h2::Error) -> Outcome {
    let kind = error.get_io().map(io::Error::kind);
    if kind == Some(io::ErrorKind::InvalidData) {
        Outcome::Tls
    } else if error.is_library() {
        // What came breaks the rules of the protocol.
        Outcome::Malformed
    } else {
        Outcome::Reset
    }
}

fn words(error: &h2::Error) -> String {
    match (error.reason(), error.is_reset(), error.is_go_away()) {
        (Some(reason), true, _) if error.is_remote() => format!("RST_STREAM {reason:?}"),
        (Some(reason), _, true) if error.is_remote() => format!("GOAWAY {reason:?}"),
        (Some(reason), ..) if error.is_library() => format!("not HTTP/2: {reason:?} ({reason})"),
        _ => error.to_string(),
    }
}
