//! The issuer's keys: fetched once, remembered, and fetched again when they grow old or a token names one that is not among them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use tokio::sync::Mutex;

/// From then on keys are fetched again, so that one that was taken back is not believed for ever.
const OLD: Duration = Duration::from_mins(5);
/// When the issuer does not answer, old keys go on for so long.
const TOO_OLD: Duration = Duration::from_hours(1);
const LONGEST_FETCH: Duration = Duration::from_secs(5);

pub(crate) struct Keys {
    discovery: String,
    client: reqwest::Client,
    /// Nobody can make us fetch more often than that, whatever their tokens name.
    patience: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    set: Option<(Arc<JwkSet>, Instant)>,
    /// When a fetch was last tried, whatever came of it.
    tried: Option<Instant>,
}

/// The keys cannot be had.
#[derive(Debug)]
pub(crate) struct Unavailable;

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
}

impl Keys {
    pub(crate) fn new(issuer: &str, patience: Duration) -> Self {
        let client = reqwest::Client::builder().timeout(LONGEST_FETCH).build().unwrap_or_default();
        // OpenID Connect Discovery §4: the well-known path stands behind the issuer's own.
        let discovery = format!("{issuer}/.well-known/openid-configuration");
        Self { discovery, client, patience, known: Mutex::new(Known::default()) }
    }

    /// The key of that id; `None`: the issuer has none.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<Jwk>, Unavailable> {
        let mut known = self.known.lock().await;
        let has = |set: &JwkSet| set.find(kid).is_some();
        let fresh = known.set.as_ref().is_some_and(|(set, fetched)| fetched.elapsed() < OLD && has(set));
        if !fresh && known.tried.is_none_or(|tried| tried.elapsed() >= self.patience) {
            known.tried = Some(Instant::now());
            match self.fetch().await {
                Ok(set) => known.set = Some((Arc::new(set), Instant::now())),
                Err(reason) => {
                    eprintln!("the keys cannot be fetched: {reason}");
                    // So that the next request tries again, where there is nothing to go on with.
                    if known.set.is_none() {
                        known.tried = None;
                    }
                }
            }
        }
        match &known.set {
            Some((set, fetched)) if fetched.elapsed() < TOO_OLD => Ok(set.find(kid).cloned()),
            Some(_) | None => Err(Unavailable),
        }
    }

    async fn fetch(&self) -> Result<JwkSet, Box<dyn std::error::Error>> {
        let metadata: Metadata = self.json(&self.discovery).await?;
        self.json(&metadata.jwks_uri).await
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, Box<dyn std::error::Error>> {
        let body = self.client.get(url).send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }
}
