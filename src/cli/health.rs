//! `latchkey health`: asks a running server how it is; what a container's health check calls.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::out::{Done, Said};
use super::{Common, desk};
use crate::config::Config;

/// Ask the running server whether it is ready: exit code 0 if so
///
/// Asks /readyz on the operations port, or discovery on the server's own port where the operations port is off.
#[derive(Debug, Args)]
pub(super) struct Health {}

impl Health {
    pub(super) async fn run(self, common: &Common) -> Done {
        let config = desk::load(common, &common.flags())?;
        let (address, path) = match config.server.operations_listen {
            Some(operations) => (operations, "/readyz"),
            None => (config.server.listen, DISCOVERY),
        };
        let answer =
            get(&config, address, path).await.map_err(|problem| format!("{} does not answer: {problem}", url(&config, address, path)))?;
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
const MOST: usize = 64 * 1024;

/// One request to an address of this machine, by TLS where `server.listen` speaks it.
pub(super) async fn get(config: &Config, address: SocketAddr, path: &str) -> Result<Answer, String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        // The certificate is for the issuer's name, not for this address. Nothing secret is said, and no more is believed than of plain http.
        .tls_danger_accept_invalid_certs(true);
    let asked = async {
        let mut response = client.build()?.get(url(config, address, path)).send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MOST {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), body: String::from_utf8_lossy(&body).into_owned() })
    };
    asked.await.map_err(|problem: reqwest::Error| innermost(&problem))
}

fn url(config: &Config, address: SocketAddr, path: &str) -> String {
    let scheme = if config.tls.is_on() && address == config.server.listen { "https" } else { "http" };
    format!("{scheme}://{}{path}", reachable(address))
}

fn innermost(mut problem: &dyn std::error::Error) -> String {
    while let Some(cause) = problem.source() {
        problem = cause;
    }
    problem.to_string()
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
