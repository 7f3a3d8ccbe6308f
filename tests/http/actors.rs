//! Who speaks to the server: a wallet that signs, a browser that keeps cookies and follows forms, an app that redeems.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use k256::ecdsa::SigningKey;
use latchkey::domain::Address;
use latchkey::protocol::eip191;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::world::{REDIRECT_URI, World};

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A wallet with one key.
pub(crate) struct Wallet {
    key: SigningKey,
    pub(crate) address: Address,
}

impl Wallet {
    /// The wallet of that number; the same number is the same key.
    pub(crate) fn new(number: u8) -> Self {
        let mut secret = [7; 32];
        secret[31] = number;
        let key = SigningKey::from_slice(&secret).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let address = Address::of_public_key(point.as_bytes()[1..].try_into().unwrap());
        Self { key, address }
    }

    /// `personal_sign` (EIP-191), 65 bytes with v of 27 or 28.
    pub(crate) fn sign(&self, message: &str) -> String {
        let (signature, recovery) = self.key.sign_prehash_recoverable(&eip191::message_hash(message));
        let hex = signature.to_bytes().iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"));
        format!("{hex}{:02x}", 27 + u8::from(recovery))
    }
}

/// A browser: it keeps cookies, never follows a redirect by itself, and can be looked into.
pub(crate) struct Browser<'w> {
    pub(crate) world: &'w World,
    http: reqwest::Client,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        Self { status: response.status().as_u16(), headers: response.headers().clone(), body: response.text().await.unwrap() }
    }

    pub(crate) fn header(&self, name: impl reqwest::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    /// A parameter of the redirect's query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.location()).ok()?;
        url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }

    /// The value of the page's hidden field or data attribute.
    pub(crate) fn csrf(&self) -> String {
        let after = self.body.split("data-csrf=\"").nth(1).or_else(|| self.body.split("name=\"csrf\" value=\"").nth(1));
        after.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no csrf token in: {}", self.body)).to_owned()
    }
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, http: reqwest::Client::builder().redirect(Policy::none()).build().unwrap(), cookies: Mutex::default() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url =
            if path.starts_with('/') { format!("{}{path}", self.world.base) } else { path.replace(crate::world::ISSUER, &self.world.base) };
        let cookies = self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let request = self.http.request(method, url);
        if cookies.is_empty() { request } else { request.header(COOKIE, cookies) }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::read(request.send().await.unwrap()).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if text.contains("Max-Age=0") {
                cookies.remove(name)
            } else {
                cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded").body(encode(form))).await
    }

    pub(crate) async fn post_json(&self, path: &str, csrf: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json").header("x-csrf-token", csrf);
        self.send(request.body(body.to_string())).await
    }

    /// Goes to `/auth` with these parameters.
    pub(crate) async fn auth(&self, params: &[(&str, &str)]) -> Answer {
        self.get(&format!("/auth?{}", encode(params))).await
    }

    /// Signs in on the page of an interaction; returns the answer to the signature.
    pub(crate) async fn sign_in(&self, interaction: &str, wallet: &Wallet) -> Answer {
        let page = self.get(interaction).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let csrf = page.csrf();
        let asked =
            self.post_json(&format!("{interaction}/wallet/challenge"), &csrf, &json!({ "address": wallet.address, "chain_id": 137 })).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        let asked = asked.json();
        let signature = wallet.sign(asked["message"].as_str().unwrap());
        self.post_json(
            &format!("{interaction}/wallet/signature"),
            &csrf,
            &json!({ "challenge": asked["challenge"], "signature": signature }),
        )
        .await
    }

    /// From `/auth` through sign-in and consent, whatever of them is asked, to the redirect back to the app.
    pub(crate) async fn authorize(&self, params: &[(&str, &str)], wallet: &Wallet) -> Answer {
        let mut answer = self.auth(params).await;
        for _ in 0..6 {
            assert!([200, 303].contains(&answer.status), "{} {}", answer.status, answer.body);
            if answer.status == 303 && answer.location().starts_with('/') {
                let location = answer.location().to_owned();
                answer = self.get(&location).await;
                if answer.status == 200 && answer.body.contains("id=\"signin\"") {
                    assert_eq!(self.sign_in(&location, wallet).await.status, 200);
                    answer = self.get(&location).await;
                }
                if answer.status == 200 && answer.body.contains("/consent\"") {
                    let csrf = answer.csrf();
                    answer = self
                        .post(
                            &format!("{location}/consent"),
                            &[("csrf", &csrf), ("decision", "allow"), ("account", &wallet.address.to_string())],
                        )
                        .await;
                }
            } else {
                return answer;
            }
        }
        panic!("the sign-in does not end: {} {}", answer.status, answer.body);
    }
}

/// The parameters of an ordinary request of `client`.
pub(crate) fn request_of(client: &str) -> Vec<(&str, &str)> {
    vec![
        ("client_id", client),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid email profile"),
        ("state", "a state"),
        ("nonce", "a nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// Form encoding.
pub(crate) fn encode(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// HTTP Basic, with both halves form-encoded (RFC 6749 §2.3.1).
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let half = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", half(id), half(secret))))
}

/// A token's header and payload, unverified.
pub(crate) fn decode(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap_or(Value::Null);
    (next(), next())
}

/// Redeems a code of a public client.
pub(crate) async fn redeem(browser: &Browser<'_>, client: &str, code: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    Browser::new(browser.world).post("/token", &form).await
}
