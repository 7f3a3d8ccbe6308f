//! A person with a wallet and a browser: signs in on the pages, agrees, and comes back to the app with a code; later codes come by the
//! session alone, as for anyone who is signed in already.

use std::collections::HashMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::Failure;
use crate::http::{Connection, Reply};
use crate::wallet::Wallet;

pub(crate) const REDIRECT: &str = "http://127.0.0.1:1/callback";
// RFC 7636 appendix B: one verifier for all, since nothing here is secret; the server does its work all the same.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const AUTHORIZE: &str = "&response_type=code&scope=openid%20email&state=load&nonce=load-nonce\
    &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
const MOST_STEPS: usize = 10;

#[derive(Debug)]
pub(crate) struct Person {
    connection: Connection,
    issuer: String,
    wallet: Wallet,
    cookies: HashMap<String, String>,
}

impl Person {
    /// A person who has never been here, at the server of this address.
    pub(crate) fn new(address: SocketAddr, wallet: Wallet) -> Self {
        let issuer = format!("http://localhost:{}", address.port());
        Self { connection: Connection::new(address), issuer, wallet, cookies: HashMap::new() }
    }

    /// Asks for a code at a client, signing in and agreeing where the server asks for it.
    pub(crate) async fn code(&mut self, client: &str) -> Result<String, Failure> {
        code_in(&self.authorize(&format!("/auth?client_id={client}{AUTHORIZE}")).await?)
    }

    /// The same, for access while the person is away.
    pub(crate) async fn offline_code(&mut self, client: &str) -> Result<String, Failure> {
        let authorize = AUTHORIZE.replace("scope=openid%20email", "scope=openid%20offline_access");
        code_in(&self.authorize(&format!("/auth?client_id={client}{authorize}")).await?)
    }

    /// Opens an authorization URL (its path and query) and goes on as the pages ask, until the server sends the browser back to the
    /// app: gives that URL.
    pub(crate) async fn authorize(&mut self, url: &str) -> Result<String, Failure> {
        let mut reply = self.get(url).await?;
        for _ in 0..MOST_STEPS {
            reply = match reply.location() {
                Some(back) if back.starts_with(REDIRECT) => return Ok(back.to_owned()),
                Some(next) => {
                    let path = next.strip_prefix(&self.issuer).unwrap_or(next).to_owned();
                    self.get(&path).await?
                }
                None => self.answer(reply).await?,
            };
        }
        Err("the sign-in does not end".into())
    }

    /// Begins to sign in to their account: the address of the visit, and the token of its forms.
    pub(crate) async fn begin(&mut self) -> Result<(String, String), Failure> {
        let visit = self.get("/account").await?.location().ok_or("no visit")?.to_owned();
        let page = self.get(&visit).await?.expect(200, "sign-in")?;
        let csrf = attribute(page.text()?, "data-csrf").ok_or("no token")?.to_owned();
        Ok((visit, csrf))
    }

    /// Tries a password that is wrong.
    pub(crate) async fn try_password(&mut self, (visit, csrf): &(String, String), email: &str) -> Result<(), Failure> {
        let body = format!("csrf={csrf}&email={}&password=wrong-horse-battery-staple", email.replace('@', "%40"));
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let reply = self.post(&format!("{visit}/password"), form, &body).await?.expect(303, "a wrong password")?;
        if reply.location().is_some_and(|next| next.ends_with("wrong=password")) { Ok(()) } else { Err("it was not wrong".into()) }
    }

    async fn answer(&mut self, page: Reply) -> Result<Reply, Failure> {
        let page = page.expect(200, "a page of the sign-in")?;
        let html = page.text()?;
        if let (Some(interaction), Some(csrf)) = (attribute(html, "data-interaction"), attribute(html, "data-csrf")) {
            let (interaction, csrf) = (interaction.to_owned(), csrf.to_owned());
            return self.sign_in(&interaction, &csrf).await;
        }
        let action = html
            .split("action=\"")
            .skip(1)
            .find_map(|rest| rest.split('"').next().filter(|action| action.ends_with("/consent")))
            .ok_or("a page that is neither for signing in nor for consent")?
            .to_owned();
        let csrf = html.split("name=\"csrf\"").nth(1).and_then(|rest| attribute(rest, "value")).ok_or("no csrf field")?;
        let account = html.split("name=\"account\"").nth(1).and_then(|rest| attribute(rest, "value")).ok_or("no account field")?;
        let body = format!("csrf={csrf}&decision=allow&account={account}");
        self.post(&action, "Content-Type: application/x-www-form-urlencoded\r\n", &body).await?.expect(303, "consent")
    }

    async fn sign_in(&mut self, interaction: &str, csrf: &str) -> Result<Reply, Failure> {
        let headers = format!("Content-Type: application/json\r\nX-CSRF-Token: {csrf}\r\n");
        let ask = json!({ "address": self.wallet.address(), "chain_id": 137 }).to_string();
        let challenge = self.post(&format!("/interaction/{interaction}/wallet/challenge"), &headers, &ask).await?;
        let challenge = challenge.expect(200, "challenge")?.json()?;
        let signature = self.wallet.sign(text(&challenge, "message")?);
        let answer = json!({ "challenge": challenge["challenge"], "signature": signature }).to_string();
        let next = self.post(&format!("/interaction/{interaction}/wallet/signature"), &headers, &answer).await?;
        let next = next.expect(200, "signature")?.json()?;
        self.get(text(&next, "next")?).await
    }

    async fn get(&mut self, path: &str) -> Result<Reply, Failure> {
        let cookies = self.cookie_line();
        let reply = self.connection.get(path, &cookies).await?;
        self.keep_cookies(&reply);
        Ok(reply)
    }

    async fn post(&mut self, path: &str, headers: &str, body: &str) -> Result<Reply, Failure> {
        let headers = format!("{}Origin: {}\r\n{headers}", self.cookie_line(), self.issuer);
        let reply = self.connection.send("POST", path, &headers, body).await?;
        self.keep_cookies(&reply);
        Ok(reply)
    }

    fn cookie_line(&self) -> String {
        if self.cookies.is_empty() {
            return String::new();
        }
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    }

    fn keep_cookies(&mut self, reply: &Reply) {
        for line in reply.headers("set-cookie") {
            if let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// A member of a JSON object that must be a text.
pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, Failure> {
    object[name].as_str().ok_or_else(|| format!("no text `{name}` in {object}").into())
}

fn code_in(back: &str) -> Result<String, Failure> {
    let code = back.split(['?', '&']).find_map(|pair| pair.strip_prefix("code="));
    code.map(str::to_owned).ok_or_else(|| format!("sent back without a code: {back}").into())
}

fn attribute<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    html.split_once(&format!("{name}=\""))?.1.split('"').next()
}
