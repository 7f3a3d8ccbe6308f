//! A browser: it keeps cookies, never follows a redirect by itself, and can be looked into.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{COOKIE, ORIGIN};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::actors::{Answer, Form, Wallet};
use crate::world::{FORM, World};

pub(crate) struct Browser<'w> {
    base: &'w str,
    http: reqwest::Client,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
}

/// A message that a wallet is asked to sign on the page of an interaction.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) challenge: String,
    pub(crate) message: String,
    pub(crate) csrf: String,
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self::at(&world.base)
    }

    /// A browser for the server at `base`.
    pub(crate) fn at(base: &'w str) -> Self {
        Self {
            base,
            http: reqwest::Client::builder().tls_certs_only([]).redirect(Policy::none()).build().unwrap(),
            cookies: Mutex::default(),
        }
    }

    /// A request with this browser's cookies.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.bare(method, path);
        let cookies = self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        if cookies.is_empty() { request } else { request.header(COOKIE, cookies) }
    }

    /// A request without cookies, as `SameSite=Lax` makes of a form on another site.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        assert!(path.starts_with('/'), "not of this server: {path}");
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::read(request.send().await.unwrap()).await;
        for text in answer.set_cookies() {
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

    /// The value of a cookie, or nothing.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_form(path, &Form::of(form)).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &Form) -> Answer {
        self.send(self.request(Method::POST, path).header("content-type", FORM).body(form.encode())).await
    }

    /// A form on a page of another site: no cookies, another origin.
    pub(crate) async fn post_cross_site(&self, path: &str, form: &Form) -> Answer {
        self.send(self.bare(Method::POST, path).header(ORIGIN, "https://app.example").header("content-type", FORM).body(form.encode()))
            .await
    }

    pub(crate) async fn post_json(&self, path: &str, csrf: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json").header("x-csrf-token", csrf);
        self.send(request.body(body.to_string())).await
    }

    /// Goes to `/auth` with these parameters.
    pub(crate) async fn auth(&self, form: &Form) -> Answer {
        self.get(&format!("/auth?{}", form.encode())).await
    }

    /// Begins a sign-in, for the path of its interaction.
    pub(crate) async fn begin(&self, form: &Form) -> String {
        let answer = self.auth(form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert!(answer.location().starts_with("/interaction/"), "{}", answer.location());
        answer.location().to_owned()
    }

    /// Asks for a message to sign on the page of an interaction.
    pub(crate) async fn ask(&self, interaction: &str, wallet: &Wallet) -> Asked {
        let page = self.get(interaction).await;
        assert!(page.is_sign_in(), "{} {}", page.status, page.body);
        let csrf = page.csrf();
        let asked =
            self.post_json(&format!("{interaction}/wallet/challenge"), &csrf, &json!({ "address": wallet.address, "chain_id": 137 })).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        let text = |name: &str| asked.json()[name].as_str().unwrap().to_owned();
        Asked { challenge: text("challenge"), message: text("message"), csrf }
    }

    /// Answers a message with a signature.
    pub(crate) async fn answer(&self, interaction: &str, asked: &Asked, signature: &str) -> Answer {
        let body = json!({ "challenge": asked.challenge, "signature": signature });
        self.post_json(&format!("{interaction}/wallet/signature"), &asked.csrf, &body).await
    }

    /// Signs in on the page of an interaction; returns the answer to the signature.
    pub(crate) async fn sign_in(&self, interaction: &str, wallet: &Wallet) -> Answer {
        let asked = self.ask(interaction, wallet).await;
        self.answer(interaction, &asked, &wallet.sign(&asked.message)).await
    }

    /// Presses a button of the consent page that an interaction shows now.
    pub(crate) async fn decide(&self, interaction: &str, decision: &str) -> Answer {
        let page = self.get(interaction).await;
        assert!(page.is_consent(), "{} {}", page.status, page.body);
        self.post_form(&format!("{interaction}/consent"), &page.form("/consent").with("decision", decision)).await
    }

    /// From `/auth` through sign-in and consent, whatever of them is asked, to the answer for the app.
    pub(crate) async fn authorize(&self, form: &Form, wallet: &Wallet) -> Answer {
        let answer = self.auth(form).await;
        if answer.status == 303 && answer.location().starts_with('/') {
            let interaction = answer.location().to_owned();
            return self.go_on(&interaction, wallet).await;
        }
        answer
    }

    /// From an interaction to the answer for the app.
    pub(crate) async fn go_on(&self, interaction: &str, wallet: &Wallet) -> Answer {
        for _ in 0..4 {
            let answer = self.get(interaction).await;
            if answer.is_sign_in() {
                let signed = self.sign_in(interaction, wallet).await;
                assert_eq!((signed.status, signed.json()), (200, json!({ "next": interaction })), "{}", signed.body);
            } else if answer.is_consent() {
                let back = self.post_form(&format!("{interaction}/consent"), &answer.form("/consent").with("decision", "allow")).await;
                assert_eq!((back.status, back.location()), (303, interaction));
            } else {
                return answer;
            }
        }
        panic!("the sign-in does not end");
    }

    /// Signs in to the account page, for the page.
    pub(crate) async fn sign_in_to_account(&self, wallet: &Wallet) -> Answer {
        let began = self.get("/account").await;
        assert_eq!(began.status, 303);
        let interaction = began.location().to_owned();
        assert_eq!(self.sign_in(&interaction, wallet).await.status, 200);
        assert_eq!(self.get(&interaction).await.location(), "/account");
        self.get("/account").await
    }
}
