//! A relying party that registers itself, as the plans for dynamic registration do, and proves itself by `private_key_jwt`.

use reqwest::Method;
use serde_json::{Value, json};

use super::suite::{Mode, Suite, code_of, redemption};
use crate::actors::{Answer, Form, Tokens};
use crate::signer::{Signer, claims, proved};
use crate::site::authority;
use crate::world::{ISSUER, REDIRECT_URI, World};

/// Lets everybody register.
pub(super) const OPEN: (&str, &str) = ("REGISTRATION_ENABLED", "true");
/// For documents of an app that lie on this machine.
pub(super) const INSIDE: (&str, &str) = ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true");

/// The audience that the plans' assertions name unless they say otherwise.
pub(super) const TOKEN: &str = "http://localhost:8080/token";

/// The authority by which the https of such an app is believed: the plans' addresses are https.
pub(super) fn authorities() -> (&'static str, &'static str) {
    ("EGRESS_EXTRA_CA_FILE", authority())
}

/// What every module registers.
pub(super) fn metadata() -> Value {
    json!({
        "client_name": "The suite",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "private_key_jwt",
        "contacts": ["certification@app.example"],
    })
}

/// The metadata with one more member, or another.
pub(super) fn with(mut metadata: Value, name: &str, value: Value) -> Value {
    metadata[name] = value;
    metadata
}

/// Sends metadata to the registration endpoint, wherever discovery says that it is.
pub(super) async fn send(suite: &Suite<'_>, metadata: &Value) -> Answer {
    let said = suite.browser.get("/.well-known/openid-configuration").await.json();
    let url = said["registration_endpoint"].as_str().unwrap_or_else(|| panic!("no registration_endpoint"));
    let path = url.strip_prefix(ISSUER).unwrap();
    let request = suite.browser.bare(Method::POST, path).header("content-type", "application/json").body(metadata.to_string());
    suite.browser.send(request).await
}

/// Asserts that metadata are refused (RFC 7591 §3.2.2).
pub(super) async fn assert_refused(suite: &Suite<'_>, metadata: &Value, errors: &[&str]) {
    let answer = send(suite, metadata).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/json"), "{}", answer.body);
    assert!(errors.contains(&answer.error().1.as_str()), "{}", answer.body);
}

/// A client that has registered itself.
pub(super) struct Registered<'w> {
    pub(super) suite: Suite<'w>,
    pub(super) signer: Signer,
    /// What the server answered.
    pub(super) said: Value,
}

impl<'w> Registered<'w> {
    /// Registers with `metadata` and the key of `signer`, unless the metadata say where keys lie.
    pub(super) async fn new(world: &'w World, metadata: Value, signer: Signer) -> Self {
        // The server does not know it yet.
        let suite = Suite::of(world, "", Mode::Query);
        let metadata = if metadata.get("jwks_uri").is_some() { metadata } else { with(metadata, "jwks", signer.jwks()) };
        let answer = send(&suite, &metadata).await;
        assert_eq!((answer.status, answer.header("content-type")), (201, "application/json"), "{}", answer.body);
        let said = answer.json();
        // All that was accepted is told.
        for (name, value) in metadata.as_object().unwrap() {
            assert_eq!(&said[name], value, "{name}");
        }
        let id = said["client_id"].as_str().unwrap().to_owned();
        assert_eq!(said.get("registration_client_uri").is_some(), said.get("registration_access_token").is_some());
        assert_eq!(said.get("client_secret").is_some(), said.get("client_secret_expires_at").is_some());
        Self { suite: suite.with_app(&id), signer, said }
    }

    pub(super) fn id(&self) -> &str {
        &self.suite.app.id
    }

    /// A request of this client.
    pub(super) fn request(&self) -> Form {
        self.suite.request()
    }

    /// `POST /token`, proved by an assertion for this audience.
    pub(super) async fn token(&self, form: Form, audience: &str) -> Answer {
        let now = self.suite.world.clock.now().seconds();
        let claims = with(with(with(claims(self.id()), "aud", json!(audience)), "iat", json!(now)), "exp", json!(now + 60));
        let assertion = self.signer.sign(&self.signer.header(), &claims);
        self.suite.browser.post_form("/token", &proved(form, &assertion)).await
    }

    /// The ordinary flow, with every check that all modules make.
    pub(super) async fn sign_in(&self, asked: &Form, audience: &str) -> Tokens {
        let code = code_of(asked, &self.suite.told(asked).await);
        self.redeem(asked, &code, audience).await
    }

    /// Redeems a code, with every check that all modules make; a signed userinfo response is left to its own module.
    pub(super) async fn redeem(&self, asked: &Form, code: &str, audience: &str) -> Tokens {
        let tokens = Tokens::read(&self.token(redemption(asked, code), audience).await);
        if self.said.get("userinfo_signed_response_alg").is_some() {
            self.suite.check_id_token(asked, &tokens.id).await;
        } else {
            self.suite.check(asked, &tokens).await;
        }
        tokens
    }

    /// `GET` or `DELETE` at the client's own address (RFC 7592).
    pub(super) async fn manage(&self, method: Method) -> Answer {
        let path = self.said["registration_client_uri"].as_str().unwrap().strip_prefix(ISSUER).unwrap();
        let token = self.said["registration_access_token"].as_str().unwrap();
        self.suite.browser.send(self.suite.browser.bare(method, path).bearer_auth(token)).await
    }
}
