//! What a handler knows of its request: the server's parts, the caller, the browser and its session cookie.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderName};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::caller;
use super::cookies::{Browser, Jar};
use super::fault::Fault;
use super::observe::RequestId;
use crate::domain::{AccountId, ClientId, Secret, Timestamp, TokenHash};
use crate::limits::{self, Allowance, MINUTE, Proof, TooMany, Try};
use crate::state::State;
use crate::store::ClientRecord;

/// The context of one request.
#[derive(Clone, Debug)]
pub struct Ctx {
    pub state: Data<State>,
    pub request: HttpRequest,
    /// The one moment that this request happens at.
    pub now: Timestamp,
}

impl Ctx {
    /// The context of a request; `None` only where a server was put together without its parts.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        let state = request.app_data::<Data<State>>()?;
        Some(Self { state: state.clone(), request: request.clone(), now: state.clock.now() })
    }

    /// The id under which this request is in the log.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
    }

    /// Whether we are served over https, so that cookies can be `Secure`.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.state.config.server.issuer.is_secure()
    }

    /// The browser, if it sent its cookie.
    #[must_use]
    pub fn known_browser(&self) -> Option<Browser> {
        Browser::known(&self.request, self.secure())
    }

    /// The browser, made known if it was not.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser::known_or_new(&self.request, self.secure(), &self.state.entropy)
    }

    /// The secret of the session cookie, live or not.
    #[must_use]
    pub fn session_token(&self) -> Option<Secret> {
        Jar::Session.read(&self.request, self.secure())
    }

    #[must_use]
    pub fn caller(&self) -> IpAddr {
        caller::address(&self.request, &self.state.config)
    }

    /// Counts one try of this caller.
    pub fn charge(&self, what: Try) -> Result<(), TooMany> {
        self.state.limits.charge(what, self.caller())
    }

    /// Counts what a client leaves behind, if it registered itself: that it proves to be itself says nothing of who it is.
    pub fn charge_client(&self, client: &ClientRecord) -> Result<(), TooMany> {
        if client.is_self_made() { self.state.limits.charge_client(self.caller(), &client.id) } else { Ok(()) }
    }

    /// Counts one try of `whose` for all replicas together, which takes a write. Whose it is (an address, an account, [`Self::network`])
    /// cannot be read in the database.
    pub async fn charge_shared(&self, what: Allowance, whose: impl AsRef<[u8]>) -> Result<(), Fault> {
        let key = TokenHash::keyed(&self.state.keys.pairwise_secret(), what.kind, whose.as_ref());
        let counted = self.state.store.count_try(&key, what.within, self.now).await?;
        Ok(what.judge(counted.tries, counted.expires_at, self.now)?)
    }

    /// Counts one try for each of these, in windows of that length: what, how much of it, and whose. What one refuses does not use up the
    /// next; so the caller's own comes first, and everybody's last.
    pub async fn charge_each(&self, within: Duration, counts: &[(&'static str, u32, &[u8])]) -> Result<(), Fault> {
        for (kind, most, whose) in counts.iter().copied() {
            self.charge_shared(Allowance { kind, most, within }, whose).await?;
        }
        Ok(())
    }

    /// Counts one try of a person at the claim code of an asset, at all replicas together.
    pub async fn charge_claim_code(&self, account: AccountId) -> Result<(), Fault> {
        let most = self.state.config.limits.user_codes_per_minute.get();
        self.charge_shared(Allowance { kind: "claim code, account", most, within: MINUTE }, account.to_string()).await
    }

    /// Lets a client's attempt to prove itself through, unless too many failed from this network.
    pub fn admit(&self, client: &ClientId, proof: Proof) -> Result<(), TooMany> {
        self.state.limits.admit(self.caller(), client, proof, self.now)
    }

    /// Counts a failed attempt of a client to prove itself: in this process at once, and for all replicas together. The one after the last
    /// is still told what was wrong with it; from then on nothing is looked at.
    pub async fn failed(&self, client: &ClientId, proof: Proof) {
        self.state.limits.failed(self.caller(), client, proof, self.now);
        let allowance = Allowance { kind: proof.kind(), most: self.state.config.limits.failures_per_minute.get(), within: MINUTE };
        // In an outage, which the store logs, this process goes on counting.
        if let Err(Fault::TooMany(TooMany { retry_after })) = self.charge_shared(allowance, format!("{} {client}", self.network())).await {
            self.state.limits.shut_out(self.caller(), client, proof, self.now.plus(Duration::from_secs(retry_after)));
        }
    }

    /// The caller's network, as it is counted.
    #[must_use]
    pub fn network(&self) -> String {
        limits::network(self.caller()).to_string()
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        self.request.headers().get(name.into())?.to_str().ok()
    }

    /// Whether the request comes from a page of ours, as far as its browser says: a cross-site form is refused before its token is read.
    #[must_use]
    pub fn same_origin(&self) -> bool {
        self.header(header::ORIGIN).is_none_or(|origin| origin == self.state.config.server.issuer.origin())
    }

    /// What the browser calls itself, shortened.
    #[must_use]
    pub fn user_agent(&self) -> String {
        self.header(header::USER_AGENT).unwrap_or_default().chars().take(300).collect()
    }
}

impl FromRequest for Ctx {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request).ok_or_else(|| actix_web::error::ErrorInternalServerError("the server's parts are missing")))
    }
}
