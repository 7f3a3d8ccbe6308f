//! `latchkey health`: asks a running server how it is; what a container's health check calls.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::out::{Done, Said};
use super::{Common, desk};

/// Ask the running server whether it is ready: exit code 0 if so
///
/// Asks /readyz on the operations port, or discovery on the server's own port where the operations port is off.
#[derive(Debug, Args)]
pub(super) struct Health {}

impl Health {
    pub(super) async fn run(self, common: &Common) -> Done {
        let server = desk::load(common, &common.flags())?.server;
        let (address, path) = match server.operations_listen {
            Some(operations) => (operations, "/readyz"),
            None => (server.listen, DISCOVERY),
        };
        let answer = get(address, path).await.map_err(|problem| format!("http://{address}{path} does not answer: {problem}"))?;
        let ready = answer.status == 200;
        Ok(Said::json(&json!({ "ready": ready, "status": answer.status }))?.failed_if(!ready))
    }
}

pub(super) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// What a server of ours said.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

const PATIENCE: Duration = Duration::from_secs(3);
const MOST: u64 = 64 * 1024;

/// One plain request (RFC 9112, as HTTP/1.0 so that the answer ends with the connection) to an address of this machine.
pub(super) async fn get(address: SocketAddr, path: &str) -> std::io::Result<Answer> {
    let asked = async {
        let mut stream = TcpStream::connect(reachable(address)).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
        let mut text = Vec::new();
        stream.take(MOST).read_to_end(&mut text).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let text = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| std::io::ErrorKind::TimedOut)??;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Answer { status, body: body.to_owned() })
}

// A server that answers on every address answers on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
