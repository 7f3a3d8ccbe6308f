//! An app: it sends browsers to sign in, redeems codes, and asks who its person is.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use crate::actors::{Answer, Browser, CHALLENGE, Form, VERIFIER, Wallet, basic, decode};
use crate::world::{REDIRECT_URI, SECRET, World};

pub(crate) struct App<'w> {
    http: Browser<'w>,
    pub(crate) id: String,
    secret: Option<&'static str>,
}

/// What `/token` gave.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) id: String,
    pub(crate) reply: Value,
    /// Empty when there is none.
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn read(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let reply = answer.json();
        let text = |name: &str| reply[name].as_str().unwrap_or_default().to_owned();
        Self { access: text("access_token"), id: text("id_token"), refresh: text("refresh_token"), reply }
    }

    /// The claims of the access token and of the ID token, unverified.
    pub(crate) fn claims(&self) -> (Value, Value) {
        (decode(&self.access).1, decode(&self.id).1)
    }
}

impl<'w> App<'w> {
    /// A client without a secret.
    pub(crate) fn public(world: &'w World, id: &str) -> Self {
        Self::at(&world.base, id)
    }

    /// A client without a secret, of the server at `base`.
    pub(crate) fn at(base: &'w str, id: &str) -> Self {
        Self { http: Browser::at(base), id: id.to_owned(), secret: None }
    }

    /// A client whose secret is [`SECRET`].
    pub(crate) fn confidential(world: &'w World, id: &str) -> Self {
        Self::public(world, id).with_secret()
    }

    /// The same client with its secret.
    pub(crate) fn with_secret(self) -> Self {
        Self { secret: Some(SECRET), ..self }
    }

    /// What an ordinary sign-in asks.
    pub(crate) fn request(&self) -> Form {
        Form::of(&[
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    /// What an ordinary redemption sends.
    pub(crate) fn redemption(&self, code: &str) -> Form {
        Form::of(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.id),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ])
    }

    /// A code for the person with that wallet.
    pub(crate) async fn code(&self, browser: &Browser<'_>, wallet: &Wallet) -> String {
        let back = browser.authorize(&self.request(), wallet).await;
        back.query("code").unwrap_or_else(|| panic!("no code: {} {} {}", back.status, back.location(), back.body))
    }

    /// `POST /token` with this form, and the secret by HTTP Basic where there is one.
    pub(crate) async fn token(&self, form: &Form) -> Answer {
        self.post("/token", form).await
    }

    /// The same at another address.
    pub(crate) async fn post(&self, path: &str, form: &Form) -> Answer {
        let request = self.http.bare(Method::POST, path).header("content-type", crate::world::FORM).body(form.encode());
        let request = if let Some(secret) = self.secret { request.header(AUTHORIZATION, basic(&self.id, secret)) } else { request };
        self.http.send(request).await
    }

    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.token(&self.redemption(code)).await
    }

    /// Signs a person in, for their tokens.
    pub(crate) async fn tokens(&self, browser: &Browser<'_>, wallet: &Wallet) -> Tokens {
        let code = self.code(browser, wallet).await;
        Tokens::read(&self.redeem(&code).await)
    }

    /// Signs a person in who lets the app keep its access while they are away.
    pub(crate) async fn offline_tokens(&self, browser: &Browser<'_>, wallet: &Wallet) -> Tokens {
        let back = browser.authorize(&self.request().with("scope", "openid email profile offline_access"), wallet).await;
        let tokens = Tokens::read(&self.redeem(&back.query("code").unwrap()).await);
        assert!(!tokens.refresh.is_empty(), "{}", tokens.reply);
        tokens
    }

    /// What a refresh sends.
    pub(crate) fn refreshing(&self, token: &str) -> Form {
        Form::of(&[("grant_type", "refresh_token"), ("client_id", &self.id), ("refresh_token", token)])
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.token(&self.refreshing(token)).await
    }

    /// `POST /token/revoke`.
    pub(crate) async fn revoke(&self, token: &str) -> Answer {
        self.post("/token/revoke", &Form::of(&[("client_id", &self.id), ("token", token)])).await
    }

    /// `POST /token/introspect`.
    pub(crate) async fn introspect(&self, token: &str) -> Answer {
        self.post("/token/introspect", &Form::of(&[("client_id", &self.id), ("token", token)])).await
    }

    /// `GET /userinfo` with a bearer token.
    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        self.http.send(self.http.bare(Method::GET, "/userinfo").bearer_auth(token)).await
    }

    /// Asserts that userinfo refuses a token as the standard says (RFC 6750 §3.1).
    pub(crate) async fn assert_refused(&self, token: &str, why: &str) {
        let answer = self.userinfo(token).await;
        assert_eq!(answer.error(), (401, "invalid_token".to_owned()), "{why}: {}", answer.body);
        assert!(
            answer.header("www-authenticate").starts_with("Bearer error=\"invalid_token\""),
            "{why}: {}",
            answer.header("www-authenticate")
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{why}");
    }
}
