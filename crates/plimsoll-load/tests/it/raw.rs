//! Servers that a test writes byte by byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use nix::sys::socket::{setsockopt, sockopt};
use plimsoll_load::target::Target;

/// The head of a streamed answer in chunks.
pub(crate) const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
/// The head of a streamed answer that ends with the connection.
pub(crate) const TO_THE_CLOSE: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
/// An event with one token.
pub(crate) const TOKEN: &str = "data: {\"choices\":[{\"text\":\" a\"}]}\n\n";
/// The last events of an answer.
pub(crate) const END: &str =
    "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// One chunk of a chunked body.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// A whole streamed answer, which leaves the connection open.
pub(crate) fn whole_answer() -> String {
    format!("{CHUNKED}{}{}0\r\n\r\n", chunk(TOKEN), chunk(END))
}

/// Serves each connection with `script`, which is told how many came before it, on a thread of its
/// own. The connection closes when the script ends.
pub(crate) fn serve(script: impl Fn(usize, TcpStream) + Clone + Send + 'static) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    drop(std::thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let (script, socket) = (script.clone(), socket.unwrap());
            socket.set_nodelay(true).unwrap();
            drop(std::thread::spawn(move || script(number, socket)));
        }
    }));
    target
}

/// Reads one request with its body; `false` if the client closed before one came.
pub(crate) fn read_request(socket: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match socket.read(&mut buffer) {
            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
            _ => return false,
        }
        if missing(&request) == Some(0) {
            return true;
        }
    }
}

/// How many bytes of the request's body are still to come; `None` before the end of its head.
fn missing(request: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |length| length.parse::<usize>().unwrap());
    Some(length.saturating_sub(body.len()))
}

/// Writes what the client may have hung up on.
pub(crate) fn say(socket: &mut TcpStream, text: &str) {
    drop(socket.write_all(text.as_bytes()));
}

/// Closes with a reset instead of an end.
pub(crate) fn reset(socket: &TcpStream) {
    // A lingering close of no time is a reset.
    let at_once = nix::libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(socket, sockopt::Linger, &at_once).unwrap();
}

/// Waits until the client has closed its side.
pub(crate) fn until_closed(socket: &mut TcpStream) {
    let mut buffer = [0; 1_024];
    while socket.read(&mut buffer).is_ok_and(|count| count > 0) {}
}
