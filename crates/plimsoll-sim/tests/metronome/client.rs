//! A blocking HTTP/1.1 client that keeps its connection and shows what came.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// The body, without chunked framing.
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The payloads of the `data:` lines.
    pub(crate) fn data(&self) -> Vec<&str> {
        let lines = self.body.lines();
        lines
            .filter_map(|line| line.strip_prefix("data: "))
            .collect()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        let data = self.data().into_iter().filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }
}

/// One connection over anything that carries bytes.
#[derive(Debug)]
pub(crate) struct Client<S> {
    stream: BufReader<S>,
}

impl Client<TcpStream> {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::over(socket(addr))
    }
}

/// A socket that gives up on a server that hangs.
pub(crate) fn socket(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn stream(&self) -> &S {
        self.stream.get_ref()
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Reply {
        self.send(&request("POST", path, "", body));
        self.reply()
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send(&request("GET", path, "", ""));
        self.reply()
    }

    /// The server's truth, asked for behind the last request of this connection.
    pub(crate) fn truth(&mut self) -> Value {
        self.get("/sim/truth").json()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
        self.stream.get_mut().flush().unwrap();
    }

    pub(crate) fn reply(&mut self) -> Reply {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).unwrap() > 0, "{head:?}");
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let body = match length {
            Some(length) => self.take(length.parse().unwrap()),
            None => self.chunks(),
        };
        let status = head.get(9..12).unwrap().parse().unwrap();
        let body = String::from_utf8(body).unwrap();
        Reply { status, head, body }
    }

    /// Whether the server has closed, with nothing more to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.stream.read(&mut [0]).unwrap() == 0
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            let mut chunk = self.take(size + 2);
            assert_eq!(chunk.split_off(size), b"\r\n");
            if size == 0 {
                return body;
            }
            body.append(&mut chunk);
        }
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: sim\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The body of a streamed completion that asks for its usage.
pub(crate) fn completion(tokens: u32) -> String {
    format!(
        r#"{{"model":"sim","prompt":[1,2,3],"max_tokens":{tokens},"stream":true,
            "stream_options":{{"include_usage":true}}}}"#
    )
}
