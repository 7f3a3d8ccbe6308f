//! The relying party of the conformance plans: what all modules send, and what each of them checks of every answer.

use latchkey::domain::{AuthMethod, Pkce, TokenHash};
use serde_json::Value;

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet, decode};
use crate::forge;
use crate::world::{ISSUER, REDIRECT_URI, SECRET, World};

/// How the answer of `/auth` travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Query,
    FormPost,
}

/// A confidential client, a person with a browser and a wallet, and the server they meet at.
pub(crate) struct Suite<'w> {
    pub(crate) world: &'w World,
    pub(crate) app: App<'w>,
    pub(crate) browser: Browser<'w>,
    pub(crate) wallet: Wallet,
    mode: Mode,
}

impl<'w> Suite<'w> {
    pub(crate) async fn new(world: &'w World, mode: Mode) -> Self {
        for id in ["suite", "suite2"] {
            client(world, id, REDIRECT_URI).await;
        }
        Self::of(world, "suite", mode)
    }

    /// The same around a client that is there already.
    pub(crate) fn of(world: &'w World, id: &str, mode: Mode) -> Self {
        Self { world, app: App::confidential(world, id), browser: Browser::new(world), wallet: Wallet::new(1), mode }
    }

    /// The same with an app that is another client.
    pub(crate) fn with_app(self, id: &str) -> Self {
        Self { app: App::confidential(self.world, id), ..self }
    }

    /// The request that every module begins with.
    pub(crate) fn request(&self) -> Form {
        let form = Form::of(&[
            ("client_id", &self.app.id),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid"),
            ("state", "Qz3vL0pXa9"),
            ("nonce", "b7TkW2eRm5"),
            ("response_type", "code"),
        ]);
        if self.mode == Mode::FormPost { form.with("response_mode", "form_post") } else { form }
    }

    /// Takes the person from a request to what the app is told, which must come by the way that was asked for.
    pub(crate) async fn told(&self, form: &Form) -> Form {
        let answer = self.browser.authorize(form, &self.wallet).await;
        self.read(form, &answer)
    }

    /// What an answer tells the app that asked.
    pub(crate) fn read(&self, asked: &Form, answer: &Answer) -> Form {
        let uri = asked.get("redirect_uri");
        match self.mode {
            Mode::Query => {
                assert_eq!(answer.status, 303, "{asked:?}: {}", answer.body);
                assert!(answer.location().starts_with(uri), "{asked:?}: {}", answer.location());
                answer.redirect()
            }
            // Form Post Response Mode §2: nothing of it is in an address.
            Mode::FormPost => {
                assert_eq!((answer.status, answer.location()), (200, ""), "{asked:?}: {}", answer.body);
                assert!(answer.body.contains(&format!("method=\"post\" action=\"{uri}\"")), "{asked:?}: {}", answer.body);
                answer.form(&format!("action=\"{uri}"))
            }
        }
    }

    /// The tokens of a request, through sign-in and consent where they are asked, with every check that all modules make.
    pub(crate) async fn tokens(&self, form: &Form) -> Tokens {
        let told = self.told(form).await;
        self.redeem(form, &code_of(form, &told)).await
    }

    /// The tokens of a request that must be answered at once, without any page.
    pub(crate) async fn tokens_without_a_page(&self, form: &Form) -> Tokens {
        let answer = self.browser.auth(form).await;
        self.redeem(form, &code_of(form, &self.read(form, &answer))).await
    }

    /// Redeems a code by HTTP Basic, checks the reply and its ID token, and asks userinfo once.
    pub(crate) async fn redeem(&self, asked: &Form, code: &str) -> Tokens {
        let form = redemption(asked, code);
        let tokens = Tokens::read(&self.app.token(&form).await);
        self.check(asked, &tokens).await;
        tokens
    }

    /// What every module asks of a token reply.
    pub(crate) async fn check(&self, asked: &Form, tokens: &Tokens) {
        assert!(!tokens.access.is_empty() && tokens.reply["token_type"].as_str().unwrap().eq_ignore_ascii_case("bearer"));
        assert!(tokens.reply["expires_in"].as_u64().unwrap() > 0, "{}", tokens.reply);
        self.check_id_token(asked, &tokens.id).await;
        let info = self.app.userinfo(&tokens.access).await;
        assert_eq!((info.status, &info.json()["sub"]), (200, &decode(&tokens.id).1["sub"]), "{}", info.body);
    }

    /// What every module asks of an ID token (OpenID Connect Core §3.1.3.7).
    pub(crate) async fn check_id_token(&self, asked: &Form, token: &str) {
        let (header, claims) = decode(token);
        assert!(header["kid"].is_string(), "{header}");
        assert!(forge::verifies(&forge::jwks(&self.browser).await, token));
        assert_eq!((&claims["iss"], &claims["aud"]), (&Value::from(ISSUER), &Value::from(asked.get("client_id"))));
        let now = self.world.clock.now().seconds();
        assert!(claims["exp"].as_i64().unwrap() > now && claims["iat"].as_i64().unwrap() <= now, "{claims}");
        let nonce = Some(asked.get("nonce")).filter(|nonce| !nonce.is_empty());
        assert_eq!(claims["nonce"].as_str(), nonce, "{claims}");
        let sub = claims["sub"].as_str().unwrap();
        assert!((1..=255).contains(&sub.len()) && sub.is_ascii(), "{sub}");
    }

    /// A claim of both tokens' ID tokens.
    pub(crate) fn id_claim(tokens: &Tokens, name: &str) -> Value {
        decode(&tokens.id).1[name].clone()
    }
}

/// The code of an answer that must be a success: its issuer is ours, its state is what was sent.
pub(crate) fn code_of(asked: &Form, told: &Form) -> String {
    assert_eq!((told.get("error"), told.get("state"), told.get("iss")), ("", asked.get("state"), ISSUER), "{told:?}");
    assert!(!told.get("code").is_empty(), "{told:?}");
    told.get("code").to_owned()
}

/// What redeems a code.
pub(crate) fn redemption(asked: &Form, code: &str) -> Form {
    Form::of(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", asked.get("redirect_uri"))])
}

/// Asserts that a request is refused at the app, in the way that all modules demand (OpenID Connect Core §3.1.2.6), with one of `errors`.
pub(crate) fn assert_refused(asked: &Form, told: &Form, errors: &[&str]) {
    assert!(errors.contains(&told.get("error")), "{told:?}");
    assert_eq!((told.get("state"), told.get("iss"), told.get("code")), (asked.get("state"), ISSUER, ""), "{told:?}");
    let others = ["error", "error_description", "state", "iss"].into_iter().fold(told.clone(), Form::without);
    assert_eq!(others.encode(), "", "nothing else is told");
    // RFC 6749 §4.1.2.1: "Values for the "error_description" parameter MUST NOT include characters outside the set".
    assert!(told.get("error_description").chars().all(|c| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~')), "{told:?}");
}

/// A state of 128 characters with every one that an address may carry as it is.
pub(crate) fn long_state() -> String {
    format!("{}-._~", "k7Qw".repeat(31))
}

/// A confidential client as an operator registers one for the plans: they send no PKCE.
pub(crate) async fn client(world: &World, id: &str, redirect_uri: &str) {
    world
        .client(id, |client| {
            client.auth_method = AuthMethod::ClientSecret;
            client.secret_hash = Some(TokenHash::of(SECRET));
            client.pkce = Pkce::Optional;
            client.redirect_uris = vec![redirect_uri.parse().unwrap()];
        })
        .await;
}
