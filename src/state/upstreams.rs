//! What this process knows of the providers at which people sign in: their discovery documents and their keys, an hour each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::place::{BETWEEN_FAILURES, Place};
use crate::config::Upstream;
use crate::domain::{Provider, Timestamp};
use crate::egress::{Ask, Egress, Fetched, Want};
use crate::keys::ClientKeys;
use crate::protocol::upstream::LONGEST_ANSWER;
use crate::protocol::upstream::discovery::{self, ProviderMetadata};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(1);

/// The providers, by id.
#[derive(Debug)]
pub(super) struct Known(HashMap<Provider, Places>);

#[derive(Debug, Default)]
struct Places {
    metadata: Arc<Place<ProviderMetadata>>,
    keys: Arc<Place<ClientKeys>>,
}

/// A provider does not answer, or not as it should; seconds after which it is worth trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    pub retry_after: u64,
}

impl Default for Unavailable {
    fn default() -> Self {
        Self { retry_after: BETWEEN_FAILURES.as_secs() }
    }
}

impl Known {
    pub(super) fn new(upstreams: &[Upstream]) -> Self {
        Self(upstreams.iter().map(|upstream| (upstream.id.clone(), Places::default())).collect())
    }

    /// What a provider says of itself.
    pub(super) async fn metadata(
        &self,
        egress: &Egress,
        upstream: &Upstream,
        now: Timestamp,
    ) -> Result<Arc<ProviderMetadata>, Unavailable> {
        let places = self.0.get(&upstream.id).ok_or_else(Unavailable::default)?;
        let (egress, id, issuer) = (egress.clone(), upstream.id.clone(), upstream.issuer.clone());
        let fetch = async move {
            let read = async {
                let url: Url = discovery::address(&issuer).parse().map_err(|_| "its issuer is no URL".to_owned())?;
                ProviderMetadata::read(&fetch(&door(&egress, &issuer, &url), &url).await?, &issuer)
            };
            told(&id, "its discovery document cannot be had", read.await)
        };
        places.metadata.get(None, now, fetch).await.ok_or_else(Unavailable::default)
    }

    /// A provider's keys. `unlike`: keys in which the one that is looked for is not; newer ones are fetched if it is time for that.
    pub(super) async fn keys(
        &self,
        egress: &Egress,
        upstream: &Upstream,
        metadata: &ProviderMetadata,
        unlike: Option<&Arc<ClientKeys>>,
        now: Timestamp,
    ) -> Result<Arc<ClientKeys>, Unavailable> {
        let places = self.0.get(&upstream.id).ok_or_else(Unavailable::default)?;
        let (egress, id, url) = (door(egress, &upstream.issuer, &metadata.jwks_uri), upstream.id.clone(), metadata.jwks_uri.clone());
        let fetch = async move {
            let read = async {
                let set: Value = serde_json::from_slice(&fetch(&egress, &url).await?).map_err(|_| "it is no JSON".to_owned())?;
                ClientKeys::read(&set).map_err(|reason| reason.to_string())
            };
            told(&id, "its keys cannot be had", read.await)
        };
        places.keys.get(unlike, now, fetch).await.ok_or_else(Unavailable::default)
    }
}

/// The client for an address of a provider. The operator chose the provider's own host, which may be inside; others that it names are
/// looked at like anybody's.
pub(super) fn door(egress: &Egress, issuer: &str, url: &Url) -> Egress {
    let own = Url::parse(issuer).is_ok_and(|issuer| issuer.host().is_some() && issuer.host() == url.host());
    if own { egress.for_operators() } else { egress.clone() }
}

async fn fetch(egress: &Egress, url: &Url) -> Result<Vec<u8>, String> {
    let want = Want { accept: "application/json", most: LONGEST_ANSWER };
    let answer = egress.ask(Ask { url, authorization: None, form: None, want }).await.and_then(Fetched::ok);
    answer.map(|answer| answer.body).map_err(|reason| reason.to_string())
}

// Logged here and nowhere else: those who wait for the same fetch are told the same.
fn told<T>(id: &Provider, what: &str, read: Result<T, String>) -> Option<(T, Duration)> {
    match read {
        Ok(read) => Some((read, KEPT)),
        Err(reason) => {
            metrics::counter!("latchkey_upstream_failed_total", "upstream" => id.as_str().to_owned()).increment(1);
            tracing::warn!(upstream = id.as_str(), %reason, "{what}");
            None
        }
    }
}
