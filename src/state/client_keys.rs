//! The keys of clients as this process knows them: read from what is registered, or fetched from where the client keeps them.
//!
//! A set that was fetched is kept as long as its answer says, within bounds. It is fetched again when an assertion names a key that is
//! not in it, but not more than once a minute for each client, whoever asks: nobody can make this server knock at another's door.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use serde_json::Value;

use super::place::{BETWEEN_FAILURES, Place};
use crate::domain::{ClientId, Timestamp};
use crate::egress::{Egress, Fetched as Answer, Want};
use crate::keys::{ClientKeys, KeySetError};

/// Bytes: fifty RSA keys of 4096 bits, with certificates beside them.
const LONGEST_SET: usize = 128 * 1024;
/// How long a set is kept whose answer says nothing of it.
const KEPT: Duration = Duration::from_hours(1);
const KEPT_AT_LEAST: Duration = Duration::from_mins(1);
const KEPT_AT_MOST: Duration = Duration::from_hours(24);
const MOST_CLIENTS: u64 = 10_000;

/// Keys by client.
#[derive(Debug)]
pub(super) struct Known {
    given: Cache<ClientId, Arc<Given>>,
    fetched: Cache<(ClientId, String), Arc<Place<ClientKeys>>>,
}

/// A set that is registered by value, and what came of reading it.
#[derive(Debug)]
struct Given {
    set: Value,
    keys: Result<Arc<ClientKeys>, KeySetError>,
}

/// Why a client's keys cannot be had.
#[derive(Debug)]
pub enum NoKeys {
    /// What is registered by value cannot be used.
    Unusable(KeySetError),
    /// Its `jwks_uri` gives nothing that can be used; worth trying again after so many seconds.
    Unavailable { retry_after: u64 },
}

impl Known {
    pub(super) fn new() -> Self {
        Self { given: Cache::builder().max_capacity(MOST_CLIENTS).build(), fetched: Cache::builder().max_capacity(MOST_CLIENTS).build() }
    }

    /// The keys of a set that is registered by value, parsed once.
    pub(super) async fn given(&self, id: &ClientId, set: &Value) -> Result<Arc<ClientKeys>, NoKeys> {
        let known = self.given.get(id).await.filter(|known| known.set == *set);
        let known = if let Some(known) = known {
            known
        } else {
            let made = Arc::new(Given { set: set.clone(), keys: ClientKeys::read(set).map(Arc::new) });
            self.given.insert(id.clone(), Arc::clone(&made)).await;
            made
        };
        known.keys.clone().map_err(NoKeys::Unusable)
    }

    /// The keys at `uri`. `unlike`: keys in which the one that is looked for is not; others are fetched if it is time for that.
    pub(super) async fn fetched(
        &self,
        egress: &Egress,
        (id, uri): (&ClientId, &str),
        unlike: Option<&Arc<ClientKeys>>,
        now: Timestamp,
    ) -> Result<Arc<ClientKeys>, NoKeys> {
        let place: Arc<Place<ClientKeys>> = self.fetched.get_with((id.clone(), uri.to_owned()), async { Arc::default() }).await;
        let (egress, id, uri) = (egress.clone(), id.clone(), uri.to_owned());
        let fetch = async move {
            fetch(&egress, &uri)
                .await
                .inspect_err(|reason| {
                    metrics::counter!("latchkey_client_keys_failed_total").increment(1);
                    tracing::warn!(client_id = %id, %reason, "the keys at a client's jwks_uri cannot be had");
                })
                .ok()
        };
        place.get(unlike, now, fetch).await.ok_or(NoKeys::Unavailable { retry_after: BETWEEN_FAILURES.as_secs() })
    }
}

async fn fetch(egress: &Egress, uri: &str) -> Result<(ClientKeys, Duration), String> {
    let url = egress.check_url(uri).map_err(|reason| reason.to_string())?;
    let want = Want { accept: "application/jwk-set+json, application/json", most: LONGEST_SET };
    let answer = egress.get(&url, want).await.and_then(Answer::ok).map_err(|reason| reason.to_string())?;
    let set: Value = serde_json::from_slice(&answer.body).map_err(|_| "it is no JSON".to_owned())?;
    let keys = ClientKeys::read(&set).map_err(|reason| reason.to_string())?;
    Ok((keys, answer.max_age.unwrap_or(KEPT).clamp(KEPT_AT_LEAST, KEPT_AT_MOST)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::config;

    // RFC 8037 Appendix A.2.
    const SET: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"one"}]}"#;

    /// A site of keys that answers when it is let.
    struct Site {
        asked: AtomicUsize,
        is_asked: Semaphore,
        may_answer: Semaphore,
    }

    async fn serve(listener: TcpListener, site: Arc<Site>) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let site = Arc::clone(&site);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4_096]).await;
                site.asked.fetch_add(1, Ordering::SeqCst);
                site.is_asked.add_permits(1);
                site.may_answer.acquire().await.unwrap().forget();
                let reply = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{SET}", SET.len());
                let _ = stream.write_all(reply.as_bytes()).await;
            });
        }
    }

    #[tokio::test]
    async fn who_hangs_up_makes_nobody_fetch_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/keys", listener.local_addr().unwrap());
        let site = Arc::new(Site { asked: AtomicUsize::new(0), is_asked: Semaphore::new(0), may_answer: Semaphore::new(0) });
        tokio::spawn(serve(listener, Arc::clone(&site)));
        let egress = Egress::new(&config::Egress { extra_ca_file: None, allow_private_networks: true }).unwrap();
        let known = Arc::new(Known::new());
        let ask = {
            let (known, egress, uri) = (Arc::clone(&known), egress.clone(), uri.clone());
            async move { known.fetched(&egress, (&"app".parse().unwrap(), &uri), None, Timestamp::from_seconds(0)).await.is_ok() }
        };
        let first = tokio::spawn(ask);
        site.is_asked.acquire().await.unwrap().forget();
        first.abort();
        assert!(first.await.is_err(), "its connection dropped");
        site.may_answer.add_permits(10);
        let (id, now) = ("app".parse().unwrap(), Timestamp::from_seconds(1));
        let keys = known.fetched(&egress, (&id, &uri), None, now).await.unwrap();
        assert_eq!(site.asked.load(Ordering::SeqCst), 1, "the fetch of the one who left is everybody's");
        // And it counts: a key that is not there is looked for at most once a minute.
        assert!(known.fetched(&egress, (&id, &uri), Some(&keys), now).await.is_ok());
        assert_eq!(site.asked.load(Ordering::SeqCst), 1);
    }
}
