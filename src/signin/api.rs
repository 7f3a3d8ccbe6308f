//! Wallet sign-in without a browser: `/auth/web3/generate_challenge` and `/auth/web3/submit_challenge`, for wallets and for the API
//! keys of developer licenses. Every reply is JSON, errors with the five keys that existing clients read.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::domain::{AccountId, Address, ChallengeId, ClientKind, CodeId, GrantType, Provider, Scope, TokenHash};
use crate::limits::Try;
use crate::policy::redeem;
use crate::policy::wallet::{self as proof, App, Entrance, Signer};
use crate::protocol::authorize::{self, NoReturnPath, ReturnPath, SCOPES};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::state::Note;
use crate::store::{ApiChallenge, ClientRecord, DeveloperToken, NewCode, Taken, TakenChallenge, WalletChallenge};
use crate::tokens::{self, Record};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::fault::Fault;
use crate::web::words::scope_lines;
use crate::web::{client, posted, reply, ways};

// Words that existing clients show to their users.
const BAD_ADDRESS: &str = "Invalid Ethereum address.";
const NO_CHALLENGE: &str = "Requested resource does not exist.";
const BAD_SIGNATURE: &str = "Could not verify signature.";
const EXPIRED: &str = "User session has expired.";

#[derive(Serialize)]
struct Challenge<'a> {
    state: &'a str,
    challenge: String,
}

/// `POST /auth/web3/generate_challenge`: parameters from the query or from a form; `{"state", "challenge"}`.
pub async fn generate(ctx: Ctx, body: Body) -> HttpResponse {
    make_challenge(&ctx, &body).await.unwrap_or_else(|fault| fault.as_wire_json())
}

/// `POST /auth/web3/submit_challenge`: the signature; the reply is that of `/token`.
pub async fn submit(ctx: Ctx, body: Body) -> HttpResponse {
    redeem_challenge(&ctx, &body).await.unwrap_or_else(|fault| fault.as_wire_json())
}

async fn make_challenge(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    ctx.charge(Try::Challenge)?;
    let params = params(ctx, body)?;
    let client = client::named(ctx, &params).await?;
    let return_path = ReturnPath::find(&params, &client.redirect_uris).map_err(|reason| match reason {
        NoReturnPath::Client(error) | NoReturnPath::RedirectUri(error) => Fault::OAuth(error),
    })?;
    if params.need("response_type")? != "code" {
        return Err(Fault::new(ErrorCode::UnsupportedResponseType, "response_type must be code"));
    }
    if !client.may(GrantType::AuthorizationCode) {
        return Err(Fault::new(ErrorCode::UnauthorizedClient, "this client is not registered for the grant authorization_code"));
    }
    let address: Address = params.need("address")?.parse().map_err(|_| Fault::new(ErrorCode::InvalidRequest, BAD_ADDRESS))?;
    let developer = client.kind == ClientKind::License && client.id.as_address() == Some(address);
    if !developer && !ways::is_on(&ctx.state, Provider::WEB3) {
        return Err(Fault::new(ErrorCode::InvalidRequest, "people do not sign in with wallets at this server"));
    }
    let scope = scope_of(&params, &client)?;
    let agrees_to: Vec<String> = scope_lines(&scope, &[]).into_iter().map(|line| line.title).collect();
    // The message says seconds, and what it says must hold: no signature counts after its Expiration Time.
    let issued_at = ctx.now.whole_second();
    let challenge = ApiChallenge {
        id: ChallengeId(ctx.state.entropy.uuid(ctx.now)),
        client_id: client.id.clone(),
        scope,
        oidc_nonce: authorize::nonce(&params)?,
        code_challenge: code_challenge_of(&params)?,
        message: WalletChallenge {
            address,
            chain_id: ctx.state.config.wallet.chains.first().copied().unwrap_or(1),
            nonce: proof::nonce(ctx.state.entropy.bytes()),
            statement: proof::statement(Some(App {
                name: &client.name,
                host: return_path.redirect_uri.host(),
                agrees_to: (!developer).then_some(agrees_to.as_slice()),
            })),
            issued_at,
            expires_at: issued_at.plus(ctx.state.config.wallet.challenge_lifetime),
        },
        redirect_uri: return_path.redirect_uri,
    };
    let state = ctx.state.entropy.secret_at(ctx.now);
    if !ctx.state.store.put_api_challenge(&challenge, &state.hash()).await? {
        let words = "address is a developer license, which can sign in to itself only: client_id and address must be the same";
        return Err(Fault::new(ErrorCode::InvalidRequest, words));
    }
    Ok(reply::json(StatusCode::OK, &Challenge { state: state.expose(), challenge: message_of(ctx, &challenge) }))
}

async fn redeem_challenge(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    ctx.charge(Try::Challenge)?;
    let params = params(ctx, body)?;
    if params.need("grant_type")? != "authorization_code" {
        return Err(Fault::new(ErrorCode::UnsupportedGrantType, "grant_type must be authorization_code"));
    }
    let (state, signature) = (params.need("state")?, params.need("signature")?);
    let redirect_uri =
        params.get_any(&["domain", "redirect_uri"])?.ok_or_else(|| OAuthError::new(ErrorCode::InvalidRequest, "domain is missing"))?;
    // A failed client authentication does not burn the challenge: it says nothing about who holds it.
    let client = client::authenticated(ctx, &params).await?;
    let kept_until = ctx.now.plus(tokens::longest_lifetime(&ctx.state, &client));
    let taken = match ctx.state.store.take_api_challenge(&TokenHash::of(state), ctx.now, kept_until).await? {
        Taken::Now(taken) => taken,
        Taken::Expired => return Err(refuse(EXPIRED)),
        Taken::Already | Taken::Unknown => return Err(refuse(NO_CHALLENGE)),
    };
    let challenge = &taken.challenge;
    if challenge.client_id != client.id {
        return Err(refuse(NO_CHALLENGE));
    }
    if challenge.redirect_uri.as_str() != redirect_uri {
        return Err(refuse("domain differs from that of the challenge"));
    }
    if !client.returns_to(&challenge.redirect_uri) {
        return Err(refuse("domain is not registered for this client any more"));
    }
    check_verifier(challenge, params.get("code_verifier")?)?;
    let signer = match proof::signer(&message_of(ctx, challenge), signature) {
        Signer::Key(signer) => signer,
        Signer::NoKey => return Err(refuse(BAD_SIGNATURE)),
    };
    if client.kind == ClientKind::License && client.id.as_address() == Some(challenge.message.address) {
        developer(ctx, &client, challenge, signer).await
    } else if signer == challenge.message.address {
        wallet(ctx, &client, &taken).await
    } else {
        // Contract accounts (EIP-1271, EIP-6492) are to be asked here, by the chain.
        Err(refuse(BAD_SIGNATURE))
    }
}

// The license signs in by one of its API keys, and by nothing else.
async fn developer(ctx: &Ctx, client: &ClientRecord, challenge: &ApiChallenge, signer: Address) -> Result<HttpResponse, Fault> {
    let token = DeveloperToken {
        id: ctx.state.entropy.uuid(ctx.now),
        client_id: client.id.clone(),
        key_address: signer,
        scope: challenge.scope.clone(),
        issued_at: ctx.now,
        expires_at: ctx.now.plus(tokens::developer_lifetime(&ctx.state, client)),
    };
    // Whether the key is enabled and unexpired is decided where the token is recorded, in the same statement.
    if !ctx.state.store.put_developer_token(&token, ctx.now).await? {
        return Err(refuse(BAD_SIGNATURE));
    }
    Ok(reply::json(StatusCode::OK, &tokens::for_developer(&ctx.state, client, &token, challenge.oidc_nonce.as_deref())?))
}

// A person's wallet signed a message that names the app and where it leads, which is the consent that this door has.
async fn wallet(ctx: &Ctx, client: &ClientRecord, taken: &TakenChallenge) -> Result<HttpResponse, Fault> {
    let shut = || refuse("the account or the client is disabled");
    let challenge = &taken.challenge;
    let (account, record) = match proof::entrance(taken) {
        // All that is to be stored was stored when the challenge was taken.
        Entrance::Known(account) => {
            ctx.state.note(Note::WalletUsed(challenge.message.address, ctx.now));
            (account, Record::Wallet(challenge.id))
        }
        Entrance::Agrees => first_sign_in(ctx, client, challenge).await?.ok_or_else(shut)?,
        Entrance::Shut => return Err(shut()),
    };
    Ok(reply::json(StatusCode::OK, &tokens::for_wallet(&ctx.state, client, taken, account, record, ctx.now)?))
}

// The person's first, or the first that asks for this much; nothing when the account or the client is disabled.
async fn first_sign_in(ctx: &Ctx, client: &ClientRecord, challenge: &ApiChallenge) -> Result<Option<(AccountId, Record)>, Fault> {
    let store = &ctx.state.store;
    let (provider, subject) = (Provider::web3(), challenge.message.address.checksummed());
    let signed_in = store.sign_in(&provider, &subject, AccountId(ctx.state.entropy.uuid(ctx.now)), ctx.now).await?;
    if signed_in.disabled {
        return Ok(None);
    }
    // The consent comes first: tokens live only under one. It did not yet when the challenge was taken, so their record is a code that
    // nobody was given.
    let agreement = store.save_consent(signed_in.account_id, &client.id, &challenge.scope, ctx.now).await?;
    let code = NewCode {
        id: CodeId(ctx.state.entropy.uuid(ctx.now)),
        client_id: client.id.clone(),
        account_id: signed_in.account_id,
        session_id: None,
        redirect_uri: challenge.redirect_uri.clone(),
        scope: challenge.scope.clone(),
        nonce: challenge.oidc_nonce.clone(),
        code_challenge: None,
        provider,
        subject,
        amr: vec![tokens::POP.to_owned()],
        authenticated_at: ctx.now,
        // Another replica's clock may be ahead; what is older than its consent is dead.
        issued_at: ctx.now.max(agreement.created_at),
        expires_at: ctx.now,
        kept_until: ctx.now.plus(tokens::longest_lifetime(&ctx.state, client)),
        resource: None,
        claims: None,
        authorization_details: None,
        told_as: None,
    };
    let never_given = ctx.state.entropy.secret().hash();
    let stored = store.put_redeemed_code(&code, &never_given, ctx.now).await?;
    Ok(stored.then_some((code.account_id, Record::Code(code.id))))
}

fn params(ctx: &Ctx, body: &Body) -> Result<Params, Fault> {
    // The JavaScript SDK sends the query and an empty body, of whatever type; the Python SDK a form.
    let form = if body.is_empty() { Params::default() } else { Params::decode(posted::form_text(ctx, body)?) };
    Ok(Params::decode(ctx.request.query_string()).and(form))
}

fn scope_of(params: &Params, client: &ClientRecord) -> Result<Scope, Fault> {
    let text = params.need("scope")?;
    if text.len() > Scope::LONGEST_ASKED {
        return Err(Fault::new(ErrorCode::InvalidScope, "scope is longer than 2000 characters"));
    }
    let scope: Scope = text.parse().map_err(|reason| Fault::new(ErrorCode::InvalidScope, format!("{reason}")))?;
    // This door gives no refresh tokens, so it asks nobody for them.
    let scope = scope.only(SCOPES).without(&[Scope::OFFLINE_ACCESS]);
    // What the client registered limits it here as it does at `/auth`.
    let scope = client.metadata.scope.as_ref().map_or_else(|| scope.clone(), |limit| scope.common(limit));
    if scope.is_empty() {
        Err(Fault::new(ErrorCode::InvalidScope, "scope names nothing that this server knows; ask for openid at least"))
    } else {
        Ok(scope)
    }
}

// RFC 7636 is optional at this door, whatever the client's setting: the signature is what binds.
fn code_challenge_of(params: &Params) -> Result<Option<String>, Fault> {
    Ok(authorize::code_challenge(params, crate::domain::Pkce::Optional)?.map(|challenge| challenge.to_string()))
}

fn check_verifier(challenge: &ApiChallenge, verifier: Option<&str>) -> Result<(), Fault> {
    let fits = match (&challenge.code_challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => redeem::verifies(challenge, verifier),
        _ => false,
    };
    if fits { Ok(()) } else { Err(refuse("code_verifier does not fit the code_challenge of the challenge")) }
}

fn message_of(ctx: &Ctx, challenge: &ApiChallenge) -> String {
    let issuer = &ctx.state.config.server.issuer;
    proof::message(&challenge.message, issuer.host(), issuer.as_str(), &challenge.id.to_string())
}

fn refuse(message: &'static str) -> Fault {
    Fault::new(ErrorCode::InvalidGrant, message)
}
