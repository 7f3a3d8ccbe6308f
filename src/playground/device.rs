//! The playground as a device without a browser (RFC 8628): it asks for a code, shows it with a picture of its link, and polls, one poll for
//! each time that its page asks for one. Each move adds to the report, as those of a sign-in do.

mod handlers;
mod view;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openidconnect::http::{Method, Request, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::Playground;
use super::choices::Choices;
use super::exchange::Exchange;
use super::recorder::{Recorder, TransportError};
use super::report::{Outcome, Problem, Report, Step, Token, TokenName};
use crate::domain::{Timestamp, TokenHash};

pub(super) use handlers::{page, poll, start};

const LIFETIME: Duration = Duration::from_hours(1);
const MOST: usize = 200;
/// So many of the last polls are shown.
const SHOWN: usize = 3;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The devices of all browsers, in memory: bounded and short-lived, so that nothing grows.
#[derive(Debug, Default)]
pub(super) struct Devices(Mutex<HashMap<TokenHash, Device>>);

/// One device, as far as it has come.
#[derive(Clone, Debug)]
struct Device {
    report: Report,
    /// What it shows, while it waits.
    waiting: Option<Waiting>,
    polls: usize,
    expires_at: Timestamp,
}

/// What the server answered to the first request (RFC 8628 §3.2), and where to poll.
#[derive(Clone, Debug)]
struct Waiting {
    codes: Codes,
    token_endpoint: String,
    /// Seconds.
    interval: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    interval: Option<u64>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    device_authorization_endpoint: String,
    token_endpoint: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

impl Devices {
    fn put(&self, browser: TokenHash, device: Device, now: Timestamp) {
        let mut devices = self.lock();
        devices.retain(|_, device| device.expires_at > now);
        while devices.len() >= MOST {
            let Some(oldest) = devices.iter().min_by_key(|(_, device)| device.expires_at).map(|(browser, _)| *browser) else { break };
            devices.remove(&oldest);
        }
        devices.insert(browser, device);
    }

    fn get(&self, browser: &TokenHash, now: Timestamp) -> Option<Device> {
        self.lock().get(browser).filter(|device| device.expires_at > now).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Device>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Learns the server's addresses and asks for the codes.
async fn begin(playground: &Playground) -> Device {
    let now = playground.clock.now();
    let recorder = playground.transport.recorder();
    let mut device = Device { report: Report::new(Choices::default(), now), waiting: None, polls: 0, expires_at: now.plus(LIFETIME) };
    let metadata = discover(playground, &recorder).await;
    device.report.steps.push(Step {
        title: "Discovery",
        words: "The device fetches the server’s metadata, which names the two addresses that it needs.",
        facts: Vec::new(),
        exchanges: recorder.take(),
    });
    let codes = match metadata {
        Ok(metadata) => ask(playground, &recorder, &metadata).await.map(|codes| (codes, metadata)),
        Err(problem) => Err(problem),
    };
    let exchanges = recorder.take();
    if !exchanges.is_empty() {
        device.report.steps.push(Step {
            title: "Device authorization request",
            words: "The device asks for two codes: one to poll with, which it keeps, and a short one for its person.",
            facts: Vec::new(),
            exchanges,
        });
    }
    match codes {
        Ok((codes, metadata)) => {
            device.report.outcome = Outcome::AtServer(codes.verification_uri_complete.clone());
            // RFC 8628 §3.2: interval: "If no value is provided, clients MUST use 5 as the default."
            let interval = codes.interval.unwrap_or(5);
            device.waiting = Some(Waiting { codes, token_endpoint: metadata.token_endpoint, interval });
        }
        Err(problem) => device.report.fail(problem),
    }
    device
}

/// Polls once, if there is something to wait for.
async fn poll_once(playground: &Playground, mut device: Device) -> Device {
    let Some(mut waiting) = device.waiting.take() else { return device };
    let recorder = playground.transport.recorder();
    let form = [("grant_type", GRANT), ("client_id", &playground.client_id), ("device_code", &waiting.codes.device_code)];
    let answer: Result<Tokens, Trouble> = post(&recorder, &waiting.token_endpoint, &form).await;
    device.polls += 1;
    note_poll(&mut device.report, recorder.take());
    match answer {
        Ok(tokens) => {
            let id_token = tokens.id_token.map(|text| Token { kind: TokenName::Id, text });
            device.report.tokens.extend(id_token);
            device.report.tokens.push(Token { kind: TokenName::Access, text: tokens.access_token });
            device.report.outcome = Outcome::SignedIn;
        }
        // RFC 8628 §3.5: both mean that it goes on.
        Err(Trouble::Refused(refusal)) if refusal.error == "authorization_pending" => device.waiting = Some(waiting),
        Err(Trouble::Refused(refusal)) if refusal.error == "slow_down" => {
            waiting.interval += 5;
            device.waiting = Some(waiting);
        }
        Err(trouble) => device.report.fail(trouble.told("The device got no tokens")),
    }
    device
}

// All polls are one step: the last few of them are shown.
fn note_poll(report: &mut Report, exchanges: Vec<Exchange>) {
    const TITLE: &str = "Polling";
    if report.steps.last().is_none_or(|step| step.title != TITLE) {
        report.steps.push(Step {
            title: TITLE,
            words: "The device asks at its interval whether its person has decided. Only the last polls are shown.",
            facts: Vec::new(),
            exchanges: Vec::new(),
        });
    }
    if let Some(step) = report.steps.last_mut() {
        step.exchanges.extend(exchanges);
        let old = step.exchanges.len().saturating_sub(SHOWN);
        step.exchanges.drain(..old);
    }
}

enum Trouble {
    Refused(Refusal),
    Failed(String),
}

impl Trouble {
    fn told(self, title: &'static str) -> Problem {
        match self {
            Self::Refused(Refusal { error, error_description }) => {
                let words = error_description.unwrap_or_else(|| "The server gave no reason in words.".to_owned());
                Problem { title, words, code: Some(error) }
            }
            Self::Failed(words) => Problem { title, words, code: None },
        }
    }
}

impl From<TransportError> for Trouble {
    fn from(error: TransportError) -> Self {
        Self::Failed(error.to_string())
    }
}

async fn discover(playground: &Playground, recorder: &Recorder<'_>) -> Result<Metadata, Problem> {
    let url = format!("{}/.well-known/openid-configuration", playground.issuer);
    let unusable = |trouble: Trouble| trouble.told("The server’s metadata cannot be used");
    let request = Request::builder().method(Method::GET).uri(url).header(header::ACCEPT, "application/json").body(Vec::new());
    let metadata: Metadata = read(recorder, request).await.map_err(unusable)?;
    // RFC 8414 §3.3: the issuer "MUST be identical to the authorization server's issuer identifier value" that was asked.
    if metadata.issuer == playground.issuer {
        Ok(metadata)
    } else {
        Err(unusable(Trouble::Failed("They are those of another issuer.".to_owned())))
    }
}

async fn ask(playground: &Playground, recorder: &Recorder<'_>, metadata: &Metadata) -> Result<Codes, Problem> {
    let form = [("client_id", playground.client_id.as_str()), ("scope", "openid email profile")];
    post(recorder, &metadata.device_authorization_endpoint, &form)
        .await
        .map_err(|trouble: Trouble| trouble.told("The server gave the device no code"))
}

async fn post<T: DeserializeOwned>(recorder: &Recorder<'_>, url: &str, form: &[(&str, &str)]) -> Result<T, Trouble> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.into_bytes());
    read(recorder, request).await
}

async fn read<T: DeserializeOwned>(
    recorder: &Recorder<'_>,
    request: Result<Request<Vec<u8>>, openidconnect::http::Error>,
) -> Result<T, Trouble> {
    let request = request.map_err(|error| Trouble::Failed(error.to_string()))?;
    let answer = recorder.send(request).await?;
    let strange = |error: serde_json::Error| Trouble::Failed(format!("The answer is not what it should be: {error}"));
    if answer.status().is_success() {
        serde_json::from_slice(answer.body()).map_err(strange)
    } else {
        Err(Trouble::Refused(serde_json::from_slice(answer.body()).map_err(strange)?))
    }
}
