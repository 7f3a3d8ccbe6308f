//! The HTTP client of the relying party: sends what the client library asks for and keeps a copy of both sides.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openidconnect::http::HeaderMap;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::exchange::{Exchange, Request, Response, Sender};
use crate::domain::Clock;

const TIMEOUT: Duration = Duration::from_secs(10);
/// More than any answer of an OAuth server; an endless one must not fill the memory.
const LONGEST_BODY: usize = 256 * 1024;

/// The connections, shared by every sign-in.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    clock: Clock,
}

/// The requests of one stretch of a sign-in, in their order.
#[derive(Debug)]
pub(super) struct Recorder<'t> {
    transport: &'t Transport,
    exchanges: Mutex<Vec<Exchange>>,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the answer is longer than {LONGEST_BODY} bytes")]
    TooLong,
}

impl Transport {
    pub(super) fn new(tls: rustls::ClientConfig, clock: Clock) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent("latchkey-playground")
            .tls_backend_preconfigured(tls)
            .timeout(TIMEOUT)
            // A client that follows redirects can be led to other hosts (and the library's documentation asks for this).
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // A connection kept open to ourselves would be one more to wait for at shutdown.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { http, clock })
    }

    pub(super) const fn recorder(&self) -> Recorder<'_> {
        Recorder { transport: self, exchanges: Mutex::new(Vec::new()) }
    }
}

impl Recorder<'_> {
    /// What was sent since the last call.
    pub(super) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.exchanges.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let sent = Request {
            method: request.method().to_string(),
            url: request.uri().to_string(),
            headers: texts(request.headers()),
            body: String::from_utf8_lossy(request.body()).into_owned(),
        };
        let begun = self.transport.clock.now();
        let answer = self.answer(request).await;
        let response = answer.as_ref().ok().map(|answer| Response {
            status: answer.status().as_u16(),
            reason: answer.status().canonical_reason().unwrap_or_default(),
            headers: texts(answer.headers()),
            body: String::from_utf8_lossy(answer.body()).into_owned(),
            took: self.transport.clock.now().since(begun),
        });
        let exchange = Exchange { sender: Sender::App, request: sent, response };
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        answer
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(|error| unreachable(&error))?;
        let mut response = self.transport.http.execute(request).await.map_err(|error| unreachable(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if body.len() + chunk.len() > LONGEST_BODY {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        std::mem::swap(answer.headers_mut(), response.headers_mut());
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for Recorder<'_> {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// The innermost cause says it best: "connection refused" rather than "error sending request".
fn unreachable(error: &reqwest::Error) -> TransportError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    TransportError::Unreachable(cause.to_string())
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

/// For tests, which speak plain http: nobody is believed.
#[cfg(test)]
pub(super) fn no_tls() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("it has them");
    config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}
