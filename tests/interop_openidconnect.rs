//! The crate `openidconnect` as a relying party of the running program: discovery, PKCE, nonce, the tokens' signatures and hashes,
//! and userinfo, with each algorithm, on both databases. The person at the pages is the load generator's.

use std::error::Error;
use std::path::PathBuf;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::http::Response;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
};
use sqlx::{Connection as _, PgConnection};
use url::Url;

#[path = "../examples/load/http.rs"]
mod http;
#[path = "../examples/load/machine.rs"]
#[expect(dead_code, reason = "this relying party asks for no tokens of its own")]
mod machine;
#[path = "../examples/load/person.rs"]
#[expect(dead_code, reason = "this relying party asks for its codes itself")]
mod person;
#[path = "../examples/load/server.rs"]
#[expect(dead_code, reason = "nothing is measured here")]
mod server;
#[path = "../examples/load/wallet.rs"]
mod wallet;

use person::{Person, REDIRECT};
use server::{Place, Server};
use wallet::Wallet;

pub(crate) type Failure = Box<dyn Error>;

const SECRET: &str = "load-secret-load-secret-load-secret-0";

#[tokio::test]
async fn the_flow_on_sqlite() -> Result<(), Failure> {
    the_flow("sqlite", None).await
}

#[tokio::test]
async fn the_flow_on_postgres() -> Result<(), Failure> {
    let mut url = Url::parse(
        &std::env::var("LATCHKEY_TEST_POSTGRES").map_err(|_| "LATCHKEY_TEST_POSTGRES names no Postgres: `scripts/test` starts one")?,
    )?;
    let name = format!("interop_{}", std::process::id());
    let mut server = PgConnection::connect(url.as_str()).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut server).await?;
    url.set_path(&name);
    let result = the_flow("postgres", Some(url.as_str())).await;
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).execute(&mut server).await?;
    result
}

async fn the_flow(name: &str, database: Option<&str>) -> Result<(), Failure> {
    let program = std::env::var_os("LATCHKEY_TEST_PROGRAM").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_latchkey")), PathBuf::from);
    let root = std::env::temp_dir().join(format!("latchkey-interop-{}-{name}", std::process::id()));
    let server = Place::new(&program, &root, name, database)?.start().await?;
    for client in ["load-rs256", "load-es256", "load-eddsa"] {
        sign_in_at(&server, client).await?;
    }
    server.stop()?;
    std::fs::remove_dir_all(root)?;
    Ok(())
}

async fn sign_in_at(server: &Server, client_id: &str) -> Result<(), Failure> {
    let issuer = IssuerUrl::new(format!("http://localhost:{}", server.address.port()))?;
    let metadata = CoreProviderMetadata::discover_async(issuer.clone(), &send).await?;
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new(client_id.to_owned()), Some(ClientSecret::new(SECRET.to_owned())))
            .set_redirect_uri(RedirectUrl::new(REDIRECT.to_owned())?);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let path = &url[url::Position::BeforePath..];
    let back = Url::parse(&Person::new(server.address, Wallet::number(7)?).authorize(path).await?)?;
    let answer = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    assert_eq!(answer("state").as_ref(), Some(state.secret()));
    assert_eq!(answer("iss").as_deref(), Some(issuer.as_str()), "RFC 9207: {back}");

    let code = AuthorizationCode::new(answer("code").ok_or_else(|| format!("no code in {back}"))?);
    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request_async(&send).await?;
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce)?;
    let hash = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, id_token.signing_key(&verifier)?)?;
    assert_eq!(claims.access_token_hash(), Some(&hash));

    let subject = claims.subject().clone();
    let info: CoreUserInfoClaims = client.user_info(tokens.access_token().clone(), Some(subject))?.request_async(&send).await?;
    assert_eq!(info.subject(), claims.subject());

    let wrong = client.exchange_code(AuthorizationCode::new("made-up".to_owned()))?.request_async(&send).await;
    assert!(wrong.is_err(), "a code that nobody issued must be refused");
    Ok(())
}

/// The HTTP client that `openidconnect` is given.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let client = reqwest::Client::builder().tls_certs_only([]).redirect(reqwest::redirect::Policy::none()).build()?;
    let reply = client.execute(request.try_into()?).await?;
    let (status, headers) = (reply.status(), reply.headers().clone());
    let mut response = Response::new(reply.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
