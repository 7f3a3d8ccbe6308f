//! A relying party's server that is told of logouts: it keeps what it hears, and answers as the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::actors::decode;

/// What it says to a request.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    Status(u16),
    /// A redirect that keeps the method and the form.
    Elsewhere(String),
    /// Nothing at all, with the connection open.
    Nothing,
}

/// One request, as far as it was understood.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) head: String,
    pub(crate) token: String,
}

impl Heard {
    pub(crate) fn claims(&self) -> Value {
        decode(&self.token).1
    }
}

pub(crate) struct Listener {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Listener {
    /// It answers in this order, and 200 from then on.
    pub(crate) async fn new(answers: &[Say]) -> Self {
        Self::at(0, answers).await
    }

    pub(crate) async fn at(port: u16, answers: &[Say]) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let (heard, mut answers) = (Arc::new(Mutex::new(Vec::new())), answers.iter().cloned().collect::<VecDeque<_>>());
        let (told, count) = watch::channel(0);
        let keep = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            // Connections that get no answer stay open.
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = socket.accept().await {
                let request = read(&mut stream).await;
                keep.lock().unwrap().push(request);
                let answer = answers.pop_front().unwrap_or(Say::Status(200));
                told.send_modify(|count| *count += 1);
                let (status, more) = match answer {
                    Say::Status(status) => (status, String::new()),
                    Say::Elsewhere(to) => (307, format!("location: {to}\r\n")),
                    Say::Nothing => {
                        open.push(stream);
                        continue;
                    }
                };
                let text = format!("HTTP/1.1 {status} x\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(text.as_bytes()).await;
            }
        });
        Self { port, heard, count, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://127.0.0.1:{}/ended?app=1", self.port)
    }

    /// All that it has heard, once that is as much as `count`.
    pub(crate) async fn heard(&self, count: usize) -> Vec<Heard> {
        let mut counted = self.count.clone();
        let enough = counted.wait_for(|now| *now >= count);
        tokio::time::timeout(Duration::from_secs(20), enough).await.unwrap_or_else(|_| panic!("it was not told {count} times")).unwrap();
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let length = stream.read(&mut part).await.unwrap_or(0);
        bytes.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|number| number.parse().ok());
            if body.len() >= wanted.unwrap_or(0) || length == 0 {
                return Heard { head, token: body.strip_prefix("logout_token=").unwrap_or_default().to_owned() };
            }
        } else if length == 0 {
            return Heard { head: text, token: String::new() };
        }
    }
}
