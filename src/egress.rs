//! The one client for every fetch from an address that somebody else chose: key sets, metadata documents, logout, logos, and providers
//! at which people sign in.
//!
//! In comes a URL of an app's, out goes an answer of bounded size within bounded time, or why there is none. It speaks https to
//! public addresses only. That is looked at when a name has been resolved, so that no name can lead inside, and again for each
//! redirect. Nothing of ours goes along: no cookies, no referrer, no proxy of the environment.

mod address;
mod ask;
mod error;
mod names;
mod places;
mod reply;
mod trust;
mod walls;

#[cfg(test)]
mod tests;

pub use ask::Ask;
pub use error::EgressError;
pub use names::Names;
pub use reply::{Fetched, Want};
pub use walls::MOST_URL;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

use crate::config;
use names::Guarded;
use places::{Most, Place, Places};
use walls::Walls;

/// How many redirects of a GET are followed.
const MOST_REDIRECTS: usize = 3;
/// How much is read of an answer to a POST, in bytes, before it is thrown away.
const MOST_OF_A_POST: usize = 16 * 1024;

/// The client. Clones share it.
#[derive(Clone, Debug)]
pub struct Egress {
    http: Client,
    /// The same behind [`Walls::operators`].
    operators: Client,
    walls: Walls,
    bounds: Bounds,
    places: Arc<Places>,
    tls: rustls::ClientConfig,
}

/// What one fetch, and all of them together, may take.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The whole fetch: waiting for a place, every redirect, the last byte.
    total: Duration,
    /// Resolving, connecting and the TLS handshake, for each hop.
    connect: Duration,
    /// Fetches at once.
    most: Most,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { total: Duration::from_secs(5), connect: Duration::from_secs(2), most: Most::default() }
    }
}

impl Egress {
    /// The client as the settings want it.
    ///
    /// # Errors
    /// [`EgressError::Setup`]: a sentence for the operator, when the file of certificate authorities cannot be used.
    pub fn new(settings: &config::Egress) -> Result<Self, EgressError> {
        Self::with_names(settings, Names::System)
    }

    /// The same with another idea of where names lead.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_names(settings: &config::Egress, names: Names) -> Result<Self, EgressError> {
        let walls = Walls { private_networks: settings.allow_private_networks, ..Walls::default() };
        Self::build(settings, walls, names, Bounds::default())
    }

    fn build(settings: &config::Egress, walls: Walls, names: Names, bounds: Bounds) -> Result<Self, EgressError> {
        let tls = trust::client(settings.extra_ca_file.as_deref())?;
        let inside = Walls { operators: true, ..walls.clone() };
        let (http, operators) = (client(&tls, names.clone(), &walls, bounds)?, client(&tls, names, &inside, bounds)?);
        Ok(Self { http, operators, walls, bounds, places: Arc::new(Places::new(bounds.most)), tls })
    }

    /// The same client for addresses that the operator chose, which may be inside the operator's own network.
    #[must_use]
    pub fn for_operators(&self) -> Self {
        Self { http: self.operators.clone(), walls: Walls { operators: true, ..self.walls.clone() }, ..self.clone() }
    }

    /// Reads a URL that an app wants to register for fetching: https, a host that is no address inside, no user name, no fragment.
    /// (Where a host's name leads is looked at with each fetch.)
    ///
    /// # Errors
    /// [`EgressError::Forbidden`] with words for the app's developer.
    pub fn check_url(&self, url: &str) -> Result<Url, EgressError> {
        self.walls.read(url)
    }

    /// Fetches `url`, following up to three redirects.
    ///
    /// # Errors
    /// Everything but an answer. An answer that is no 200 is one: see [`Fetched::ok`].
    pub async fn get(&self, url: &Url, want: Want) -> Result<Fetched, EgressError> {
        self.bounded(async {
            let mut url = url.clone();
            for _ in 0..=MOST_REDIRECTS {
                // Each hop has a place of its own: a redirect to a slow host waits there, and holds none elsewhere.
                let (response, _place) = self.send(&url, self.http.get(url.clone()).header(ACCEPT, want.accept)).await?;
                match next_hop(&url, &response)? {
                    Some(next) => url = next,
                    None => return Fetched::read(response, want.most).await,
                }
            }
            Err(EgressError::Forbidden(format!("it redirects more than {MOST_REDIRECTS} times")))
        })
        .await
    }

    /// Fetches `url` itself: a redirect is an answer like any other, and no 200.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_unredirected(&self, url: &Url, want: Want) -> Result<Fetched, EgressError> {
        self.bounded(async {
            let (response, _place) = self.send(url, self.http.get(url.clone()).header(ACCEPT, want.accept)).await?;
            Fetched::read(response, want.most).await
        })
        .await
    }

    /// Posts `form` to `url` and gives the status of the answer. No redirect is followed: what was posted is for `url` alone.
    ///
    /// # Errors
    /// Everything but an answer.
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)]) -> Result<u16, EgressError> {
        self.bounded(async {
            let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            let request = self.http.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
            let (response, _place) = self.send(url, request).await?;
            let status = response.status().as_u16();
            // Whether the rest comes in time changes nothing.
            let _ = tokio::time::timeout(self.bounds.connect, reply::discard(response, MOST_OF_A_POST)).await;
            Ok(status)
        })
        .await
    }

    /// How servers are believed to be who they say, for clients of other addresses.
    #[must_use]
    pub fn tls(&self) -> rustls::ClientConfig {
        self.tls.clone()
    }

    // A host that is an address is never resolved, so it is looked at here.
    async fn send(&self, url: &Url, request: RequestBuilder) -> Result<(Response, Place), EgressError> {
        self.walls.check(url)?;
        let place = self.places.take(url).await?;
        Ok((request.send().await?, place))
    }

    async fn bounded<T>(&self, fetch: impl Future<Output = Result<T, EgressError>>) -> Result<T, EgressError> {
        let late = |_| EgressError::Unreachable(format!("no whole answer within {} s", self.bounds.total.as_secs_f32()));
        tokio::time::timeout(self.bounds.total, fetch).await.map_err(late)?
    }
}

fn client(tls: &rustls::ClientConfig, names: Names, walls: &Walls, bounds: Bounds) -> Result<Client, EgressError> {
    Client::builder()
        .user_agent(concat!("Latchkey/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls.clone())
        .dns_resolver(Arc::new(Guarded { names, walls: walls.clone() }))
        // Followed here, hop by hop, because each has to be looked at first.
        .redirect(Policy::none())
        .referer(false)
        // A proxy would resolve names by itself, behind the walls.
        .no_proxy()
        .connect_timeout(bounds.connect)
        // Who a name belongs to is asked anew for each fetch.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|problem| EgressError::Setup(format!("the client for others' addresses does not start: {problem}")))
}

// RFC 9110 §15.4: where a redirect leads, relative to where it came from; `None` where the answer is no redirect.
fn next_hop(url: &Url, response: &Response) -> Result<Option<Url>, EgressError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let next = location.to_str().ok().and_then(|location| url.join(location).ok());
    next.map(Some).ok_or_else(|| EgressError::Forbidden("it redirects to what is no URL".to_owned()))
}
