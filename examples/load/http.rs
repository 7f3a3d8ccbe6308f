//! The cheapest HTTP/1.1 client that is still a real one: one kept-alive connection, bodies by length or in chunks.
//! In: a method, a path, headers, a body. Out: status, head and body. It knows nothing of what it asks.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// One connection to one server; opened again when the server closed it.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    host: String,
    stream: Option<TcpStream>,
    seen: Vec<u8>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The values of a header, by its lower-case name.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().skip(1).filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.headers("location").next()
    }

    pub(crate) fn text(&self) -> Result<&str, Failure> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    pub(crate) fn json(&self) -> Result<serde_json::Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// This reply, when its status is the one that must come.
    pub(crate) fn expect(self, status: u16, what: &str) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        let body: String = String::from_utf8_lossy(&self.body).chars().take(600).collect();
        Err(format!("{what}: expected {status}, the server answered {}\n{body}", self.head).into())
    }
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, host: format!("localhost:{}", address.port()), stream: None, seen: Vec::with_capacity(8_192) }
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Result<Reply, Failure> {
        self.send("GET", path, headers, "").await
    }

    /// Sends a request; `headers` are whole lines, each with its line end.
    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Reply, Failure> {
        let length = if body.is_empty() && method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}{length}\r\n{body}", self.host);
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let Some(stream) = self.stream.as_mut() else { return Err("no connection".into()) };
        stream.write_all(request.as_bytes()).await?;
        let reply = read(stream, &mut self.seen).await?;
        if reply.headers("connection").any(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = None;
        }
        Ok(reply)
    }
}

async fn read(stream: &mut TcpStream, seen: &mut Vec<u8>) -> Result<Reply, Failure> {
    seen.clear();
    let end = loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, seen).await?;
    };
    let head = String::from_utf8(seen[..end].to_vec())?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("no status line")?;
    let mut reply = Reply { status, head, body: Vec::new() };
    let start = end + 4;
    let length = reply.headers("content-length").next().map(str::parse::<usize>).transpose()?;
    if reply.headers("transfer-encoding").any(|value| value.eq_ignore_ascii_case("chunked")) {
        reply.body = chunks(stream, seen, start).await?;
    } else if let Some(length) = length {
        while seen.len() < start + length {
            more(stream, seen).await?;
        }
        reply.body = seen[start..start + length].to_vec();
    }
    Ok(reply)
}

// RFC 9112 §7.1, without trailers.
async fn chunks(stream: &mut TcpStream, seen: &mut Vec<u8>, mut at: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            if let Some(end) = seen[at..].windows(2).position(|two| two == b"\r\n") {
                break std::str::from_utf8(&seen[at..at + end])?.to_owned();
            }
            more(stream, seen).await?;
        };
        let size = usize::from_str_radix(line.trim(), 16)?;
        at += line.len() + 2;
        while seen.len() < at + size + 2 {
            more(stream, seen).await?;
        }
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&seen[at..at + size]);
        at += size + 2;
    }
}

async fn more(stream: &mut TcpStream, seen: &mut Vec<u8>) -> Result<(), Failure> {
    if stream.read_buf(seen).await? == 0 {
        return Err("the server closed the connection in the middle of a reply".into());
    }
    Ok(())
}
