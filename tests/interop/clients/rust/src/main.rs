//! crates.io `openidconnect` as a relying party: what an app in Rust does, from discovery to logout.

use std::error::Error;
use std::io::Write as _;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreRevocableToken, CoreSubjectIdentifierType, CoreUserInfoClaims,
};
use openidconnect::reqwest::blocking::Client as Http;
use openidconnect::reqwest::{Certificate, redirect};
use openidconnect::url::Url;
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IntrospectionUrl,
    IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PostLogoutRedirectUrl, ProviderMetadata, RedirectUrl,
    RevocationUrl, Scope, SubjectIdentifier, TokenIntrospectionResponse as _, TokenResponse as _,
};
use serde_json::{Value, json};

type Failure = Box<dyn Error>;

/// What the crate's own metadata leave out.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
struct More {
    end_session_endpoint: openidconnect::EndSessionUrl,
    introspection_endpoint: Option<IntrospectionUrl>,
    revocation_endpoint: Option<RevocationUrl>,
}
impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

fn main() -> Result<(), Failure> {
    let authority = Certificate::from_pem(&std::fs::read(setting("LATCHKEY_CA")?)?)?;
    let http = Http::builder().tls_built_in_root_certs(false).add_root_certificate(authority).redirect(redirect::Policy::none()).build()?;
    let issuer = setting("LATCHKEY_ISSUER")?;
    let metadata = Metadata::discover(&IssuerUrl::new(issuer.clone())?, &http)?;
    let more = metadata.additional_metadata().clone();
    let offline = metadata.scopes_supported().is_some_and(|scopes| scopes.iter().any(|scope| scope.as_str() == "offline_access"));
    let mut done = vec!["discovery"];

    let (id, secret) = (ClientId::new(setting("LATCHKEY_CLIENT_ID")?), ClientSecret::new(setting("LATCHKEY_CLIENT_SECRET")?));
    let client = CoreClient::from_provider_metadata(metadata, id.clone(), Some(secret))
        .set_redirect_uri(RedirectUrl::new(setting("LATCHKEY_REDIRECT_URI")?)?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut asked = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge);
    if offline {
        asked = asked.add_scope(Scope::new("offline_access".to_owned())).add_prompt(CoreAuthPrompt::Consent);
    }
    let (url, state, nonce) = asked.url();
    let back = visit(&url)?;
    must(parameter(&back, "state")? == *state.secret() && parameter(&back, "iss")? == issuer, "another answer than the one asked for")?;
    let code = AuthorizationCode::new(parameter(&back, "code")?);
    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&http)?;
    done.extend(["code+PKCE", "state"]);

    let id_token = tokens.id_token().ok_or("no ID token")?;
    let checks = client.id_token_verifier();
    let claims = id_token.claims(&checks, &nonce)?;
    let hash = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, id_token.signing_key(&checks)?)?;
    must(claims.access_token_hash() == Some(&hash), "the access token is another one")?;
    done.extend(["nonce", "id token"]);

    let told = |token: &AccessToken, subject: &SubjectIdentifier| -> Result<CoreUserInfoClaims, Failure> {
        Ok(client.user_info(token.clone(), Some(subject.clone()))?.request(&http)?)
    };
    let subject = claims.subject().clone();
    told(tokens.access_token(), &subject)?;
    done.push("userinfo");

    let mut access = tokens.access_token().clone();
    if let Some(token) = tokens.refresh_token() {
        let refreshed = client.exchange_refresh_token(token)?.request(&http)?;
        must(refreshed.access_token().secret() != access.secret(), "a refresh gave the same access token")?;
        access = refreshed.access_token().clone();
        told(&access, &subject)?;
        done.push("refresh");
    }
    if let Some(url) = more.introspection_endpoint {
        let asking = client.clone().set_introspection_url(url);
        let said = asking.introspect(&access).request(&http)?;
        must(said.active() && said.client_id() == Some(&id), "introspection does not know the token")?;
        done.push("introspection");
    }
    if let Some(url) = more.revocation_endpoint {
        let asking = client.clone().set_revocation_url(url);
        asking.revoke_token(CoreRevocableToken::AccessToken(access.clone()))?.request(&http)?;
        must(told(&access, &subject).is_err(), "a revoked token still works")?;
        done.push("revocation");
    }

    let goodbye = CsrfToken::new_random();
    let leaving = LogoutRequest::from(more.end_session_endpoint)
        .set_id_token_hint(id_token)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(setting("LATCHKEY_GOODBYE_URI")?)?)
        .set_state(goodbye.clone());
    must(parameter(&visit(&leaving.http_get_url())?, "state")? == *goodbye.secret(), "logout lost the state")?;
    done.push("logout");
    say(&json!({ "library": concat!("openidconnect ", env!("OPENIDCONNECT_VERSION")), "done": done }))
}

fn setting(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

fn must(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(what.into()) }
}

fn parameter(url: &Url, name: &str) -> Result<String, Failure> {
    let found = url.query_pairs().find(|(known, _)| known == name).ok_or_else(|| format!("no {name} in {url}"))?;
    Ok(found.1.into_owned())
}

fn visit(url: &Url) -> Result<Url, Failure> {
    say(&json!({ "open": url.as_str() }))?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(Url::parse(line.trim())?)
}

fn say(message: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{message}")?;
    Ok(out.flush()?)
}
