//! What is measured: each operation as one call that a caller makes again and again, its answer checked.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use latchkey::domain::Entropy;
use serde_json::Value;

use crate::Failure;
use crate::http::Connection;
use crate::machine;
use crate::person::{AUTHORIZE, REDIRECT, VERIFIER, text};
use crate::wallet::Wallet;

/// A client without a secret: its refresh tokens are replaced at each use.
pub(crate) const PUBLIC: &str = "load-public";
const SERVICE: &str = "load-service";
const SECRET: &str = "load-secret-load-secret-load-secret-0";

/// One caller: a connection kept open, and a wallet of its own.
#[derive(Debug)]
pub(crate) struct Caller {
    connection: Connection,
    wallet: Wallet,
    issuer: String,
    // Begins every `jti` of this caller's assertions.
    unique: String,
    count: u64,
}

impl Caller {
    pub(crate) fn new(address: SocketAddr, number: u64) -> Result<Self, Failure> {
        let issuer = format!("http://localhost:{}", address.port());
        let unique = uuid::Builder::from_random_bytes(Entropy::System.bytes()).into_uuid().to_string();
        Ok(Self { connection: Connection::new(address), wallet: Wallet::number(number)?, issuer, unique, count: 0 })
    }

    pub(crate) async fn discovery(&mut self) -> Result<(), Failure> {
        let reply = self.connection.get("/.well-known/openid-configuration", "").await?.expect(200, "discovery")?.json()?;
        same(text(&reply, "issuer")?, &self.issuer)
    }

    pub(crate) async fn keys(&mut self) -> Result<(), Failure> {
        let reply = self.connection.get("/keys", "").await?.expect(200, "keys")?.json()?;
        if reply["keys"].as_array().is_some_and(|keys| !keys.is_empty()) { Ok(()) } else { Err("no keys".into()) }
    }

    /// `generate_challenge`, a signature by the wallet, `submit_challenge`: two requests, one sign-in.
    pub(crate) async fn challenge_and_submit(&mut self) -> Result<(), Failure> {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let client = "client_id=load-rs256&domain=http%3A%2F%2F127.0.0.1%3A1%2Fcallback";
        let ask = format!("{client}&scope=openid%20email&response_type=code&address={}", self.wallet.address());
        let challenge = self.connection.send("POST", "/auth/web3/generate_challenge", form, &ask).await?;
        let challenge = challenge.expect(200, "generate_challenge")?.json()?;
        let signature = self.wallet.sign(text(&challenge, "challenge")?);
        let state = text(&challenge, "state")?;
        let submit = format!("{client}&client_secret={SECRET}&grant_type=authorization_code&state={state}&signature={signature}");
        let reply = self.connection.send("POST", "/auth/web3/submit_challenge", form, &submit).await?;
        let claims = claims(text(&reply.expect(200, "submit_challenge")?.json()?, "access_token")?, "RS256")?;
        same(text(&claims, "client_id")?, "load-rs256")
    }

    /// A license signs in by its API key, which is this caller's wallet: its own token.
    pub(crate) async fn developer_token(&mut self, license: &str) -> Result<String, Failure> {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let client = format!("client_id={license}&domain={}", REDIRECT.replace(':', "%3A").replace('/', "%2F"));
        let ask = format!("{client}&scope=openid%20email&response_type=code&address={license}");
        let challenge = self.connection.send("POST", "/auth/web3/generate_challenge", form, &ask).await?;
        let challenge = challenge.expect(200, "generate_challenge")?.json()?;
        let signature = self.wallet.sign(text(&challenge, "challenge")?);
        let submit = format!("{client}&grant_type=authorization_code&state={}&signature={signature}", text(&challenge, "state")?);
        let reply = self.connection.send("POST", "/auth/web3/submit_challenge", form, &submit).await?.expect(200, "submit_challenge")?;
        text(&reply.json()?, "access_token").map(str::to_owned)
    }

    /// Exchanges it for a token of that asset: the server checks one signature of RSA and makes another, and reads once.
    pub(crate) async fn exchange(&mut self, token: &str, asset: &str) -> Result<(), Failure> {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let body = format!(r#"{{"asset":"{asset}","permissions":["privilege:GetNonLocationHistory","privilege:GetLocationHistory"]}}"#);
        let reply = self.connection.send("POST", "/v1/tokens/exchange", &headers, &body).await?.expect(200, "exchange")?.json()?;
        same(text(&claims(text(&reply, "token")?, "RS256")?, "asset")?, asset)
    }

    /// Asks whether the license has a permission on that asset: the server checks one signature of RSA, and reads twice.
    pub(crate) async fn decide(&mut self, token: &str, license: &str, asset: &str) -> Result<(), Failure> {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let (subject, resource) = (format!(r#"{{"type":"client","id":"{license}"}}"#), format!(r#"{{"type":"asset","id":"{asset}"}}"#));
        let body = format!(r#"{{"subject":{subject},"resource":{resource},"action":{{"name":"privilege:GetLocationHistory"}}}}"#);
        let reply = self.connection.send("POST", "/access/v1/evaluation", &headers, &body).await?.expect(200, "evaluation")?.json()?;
        if reply["decision"] == true { Ok(()) } else { Err("the decision is no".into()) }
    }

    /// A page of a hundred of the vehicles that are shared with a license.
    pub(crate) async fn vehicles(&mut self, license: &str) -> Result<(), Failure> {
        let fields = "nodes { tokenId tokenDID owner definition { make model year } } pageInfo { hasNextPage endCursor }";
        let query = format!("{{ vehicles(first: 100, filterBy: {{privileged: \"{license}\"}}) {{ {fields} }} }}");
        let body = serde_json::json!({ "query": query }).to_string();
        let reply =
            self.connection.send("POST", "/query", "Content-Type: application/json\r\n", &body).await?.expect(200, "query")?.json()?;
        let vehicles = &reply["data"]["vehicles"];
        let full = vehicles["nodes"].as_array().is_some_and(|nodes| nodes.len() == 100) && vehicles["pageInfo"]["hasNextPage"] == true;
        if full { Ok(()) } else { Err(format!("no full page: {reply}").into()) }
    }

    /// Redeems a code; gives the access token.
    pub(crate) async fn redeem(&mut self, client: &str, alg: &str, code: &str) -> Result<String, Failure> {
        let basic = BASE64_STANDARD.encode(format!("{client}:{SECRET}"));
        let headers = format!("Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        let redirect = REDIRECT.replace(':', "%3A").replace('/', "%2F");
        let body = format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={VERIFIER}");
        let reply = self.connection.send("POST", "/token", &headers, &body).await?.expect(200, "token")?.json()?;
        let id_token = claims(text(&reply, "id_token")?, alg)?;
        same(text(&id_token, "nonce")?, "load-nonce")?;
        let access_token = text(&reply, "access_token")?;
        same(text(&claims(access_token, alg)?, "client_id")?, client)?;
        Ok(access_token.to_owned())
    }

    /// A client's own token, proved by a secret: the server makes one signature of P-256, and stores nothing.
    pub(crate) async fn client_credentials(&mut self) -> Result<(), Failure> {
        let basic = BASE64_STANDARD.encode(format!("{SERVICE}:{SECRET}"));
        let headers = format!("Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        let reply = self.connection.send("POST", "/token", &headers, "grant_type=client_credentials&scope=load.run").await?;
        let reply = reply.expect(200, "client_credentials")?.json()?;
        same(text(&claims(text(&reply, "access_token")?, "ES256")?, "sub")?, SERVICE)
    }

    /// The same, proved by an assertion: the server checks one signature of P-256 and makes another, and stores the `jti`.
    pub(crate) async fn client_credentials_by_assertion(&mut self) -> Result<(), Failure> {
        self.count += 1;
        let assertion = machine::assertion(&self.issuer, &format!("{}-{}", self.unique, self.count))?;
        let body = format!(
            "grant_type=client_credentials&scope=load.run&client_assertion={assertion}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let reply = self.connection.send("POST", "/token", form, &body).await?.expect(200, "client_credentials by assertion")?.json()?;
        same(text(&claims(text(&reply, "access_token")?, "ES256")?, "sub")?, machine::ID)
    }

    /// A pushed authorization request of a client with a secret.
    pub(crate) async fn push(&mut self) -> Result<(), Failure> {
        let basic = BASE64_STANDARD.encode(format!("load-es256:{SECRET}"));
        let headers = format!("Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        let body = format!("client_id=load-es256{AUTHORIZE}");
        let reply = self.connection.send("POST", "/par", &headers, &body).await?.expect(201, "par")?.json()?;
        let ours = text(&reply, "request_uri")?.starts_with("urn:ietf:params:oauth:request_uri:");
        if ours { Ok(()) } else { Err("a request_uri of another form".into()) }
    }

    /// Redeems a code of the public client; gives the refresh token.
    pub(crate) async fn redeem_for_refresh(&mut self, code: &str) -> Result<String, Failure> {
        let redirect = REDIRECT.replace(':', "%3A").replace('/', "%2F");
        let body = format!("grant_type=authorization_code&client_id={PUBLIC}&code={code}&redirect_uri={redirect}&code_verifier={VERIFIER}");
        self.refresh_token(&body).await
    }

    /// Uses a refresh token of the public client; gives the one that took its place.
    pub(crate) async fn refresh(&mut self, token: &str) -> Result<String, Failure> {
        let next = self.refresh_token(&format!("grant_type=refresh_token&client_id={PUBLIC}&refresh_token={token}")).await?;
        if next == token { Err("the refresh token was not replaced".into()) } else { Ok(next) }
    }

    async fn refresh_token(&mut self, body: &str) -> Result<String, Failure> {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let reply = self.connection.send("POST", "/token", form, body).await?.expect(200, "token")?.json()?;
        for name in ["access_token", "id_token"] {
            claims(text(&reply, name)?, "ES256")?;
        }
        text(&reply, "refresh_token").map(str::to_owned)
    }

    pub(crate) async fn introspect(&mut self, client: &str, token: &str) -> Result<(), Failure> {
        let basic = BASE64_STANDARD.encode(format!("{client}:{SECRET}"));
        let headers = format!("Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        let reply = self.connection.send("POST", "/token/introspect", &headers, &format!("token={token}")).await?;
        let told = reply.expect(200, "introspection")?.json()?;
        if told["active"] == true { same(text(&told, "client_id")?, client) } else { Err("a living token is not active".into()) }
    }

    pub(crate) async fn userinfo(&mut self, token: &str) -> Result<(), Failure> {
        let headers = format!("Authorization: Bearer {token}\r\n");
        let reply = self.connection.get("/userinfo", &headers).await?.expect(200, "userinfo")?.json()?;
        text(&reply, "sub").map(|_| ())
    }
}

// The claims of a token whose header names this algorithm. Its signature is for the interop tests; here it would cost the server's time.
fn claims(token: &str, alg: &str) -> Result<Value, Failure> {
    let mut parts = token.split('.');
    let mut part = || -> Result<Value, Failure> {
        let text = parts.next().ok_or("a token has three parts")?;
        Ok(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text)?)?)
    };
    same(text(&part()?, "alg")?, alg)?;
    part()
}

fn same(found: &str, expected: &str) -> Result<(), Failure> {
    if found == expected { Ok(()) } else { Err(format!("expected `{expected}`, found `{found}`").into()) }
}
