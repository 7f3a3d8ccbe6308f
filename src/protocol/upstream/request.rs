//! What a provider is asked: the browser's way there, and the form with which its code is redeemed.

use url::{Url, form_urlencoded};

use crate::domain::{Scope, Secret, UpstreamKind};
use crate::protocol::pkce::{self, CodeChallenge};

/// An authorization request to a provider (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    pub kind: UpstreamKind,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a Scope,
    pub state: &'a Secret,
    pub nonce: &'a str,
    pub code_challenge: CodeChallenge,
    /// Whether the person is to prove it anew, whatever session they have there.
    pub fresh: bool,
    pub login_hint: Option<&'a str>,
}

impl AuthorizationRequest<'_> {
    /// Where the browser goes.
    #[must_use]
    pub fn url(&self, endpoint: &Url) -> Url {
        let mut url = endpoint.clone();
        let scopes = self.scopes.to_string();
        let challenge = self.code_challenge.to_string();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("response_type", "code")
                .append_pair("client_id", self.client_id)
                .append_pair("redirect_uri", self.redirect_uri)
                .append_pair("scope", &scopes)
                .append_pair("state", self.state.expose())
                .append_pair("code_challenge", &challenge)
                .append_pair("code_challenge_method", pkce::METHOD);
            if self.kind != UpstreamKind::Github {
                query.append_pair("nonce", self.nonce);
            }
            if self.kind.posts_its_answer() {
                query.append_pair("response_mode", "form_post");
            }
            if self.fresh {
                for (name, value) in again(self.kind) {
                    query.append_pair(name, value);
                }
            }
            if let Some(hint) = self.login_hint {
                query.append_pair("login_hint", hint);
            }
        }
        url
    }
}

// OpenID Connect Core §3.1.2.1: with prompt=login "the Authorization Server SHOULD prompt the End-User for reauthentication"; with max_age
// "the ID Token returned MUST include an auth_time Claim Value". Google and GitHub know no such prompt and refuse the word: there the
// person is asked which account it is. Apple asks anew each time.
const fn again(kind: UpstreamKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        UpstreamKind::Oidc => &[("prompt", "login"), ("max_age", "0")],
        UpstreamKind::Google | UpstreamKind::Github => &[("prompt", "select_account")],
        UpstreamKind::Apple => &[],
    }
}

/// The form that redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5); `secret` where it goes along in the form (RFC 6749 §2.3.1).
#[must_use]
pub fn redemption(code: &Secret, redirect_uri: &str, client_id: &str, code_verifier: &Secret, secret: Option<&Secret>) -> Secret {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose())
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("client_id", client_id)
        .append_pair("code_verifier", code_verifier.expose());
    if let Some(secret) = secret {
        form.append_pair("client_secret", secret.expose());
    }
    Secret::new(form.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(kind: UpstreamKind, fresh: bool, login_hint: Option<&str>) -> String {
        let request = AuthorizationRequest {
            kind,
            client_id: "us & them",
            redirect_uri: "https://id.example/upstream/x/callback",
            scopes: &Scope::of(["openid", "email"]),
            state: &Secret::new("STATE"),
            nonce: "NONCE",
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap(),
            fresh,
            login_hint,
        };
        request.url(&"https://p.example/auth?tenant=1".parse().unwrap()).to_string()
    }

    #[test]
    fn each_kind_is_asked_in_its_own_words() {
        let common = "https://p.example/auth?tenant=1&response_type=code&client_id=us+%26+them\
            &redirect_uri=https%3A%2F%2Fid.example%2Fupstream%2Fx%2Fcallback&scope=email+openid&state=STATE\
            &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        assert_eq!(url(UpstreamKind::Oidc, false, Some("a@b.example")), format!("{common}&nonce=NONCE&login_hint=a%40b.example"));
        assert_eq!(url(UpstreamKind::Oidc, true, None), format!("{common}&nonce=NONCE&prompt=login&max_age=0"));
        assert_eq!(url(UpstreamKind::Google, true, None), format!("{common}&nonce=NONCE&prompt=select_account"));
        assert_eq!(url(UpstreamKind::Apple, true, None), format!("{common}&nonce=NONCE&response_mode=form_post"));
        assert_eq!(url(UpstreamKind::Github, false, None), common);
    }

    #[test]
    fn the_secret_goes_along_where_it_is_to() {
        let form = |secret: Option<&Secret>| {
            let form = redemption(&Secret::new("c+d"), "https://id.example/cb", "us", &Secret::new("v"), secret);
            form.expose().to_owned()
        };
        let bare = "grant_type=authorization_code&code=c%2Bd&redirect_uri=https%3A%2F%2Fid.example%2Fcb&client_id=us&code_verifier=v";
        assert_eq!(form(None), bare);
        assert_eq!(form(Some(&Secret::new("s&t"))), format!("{bare}&client_secret=s%26t"));
    }
}
