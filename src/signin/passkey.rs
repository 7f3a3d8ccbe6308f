//! Passkeys on the sign-in page: signing in with one, and making one for a new account or for one's own.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Path;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::wallet::{own_visit, parse};
use crate::domain::{AccountId, Ceremony, InteractionId, Provider};
use crate::policy::passkey::{self, Asked, Assertion, CHALLENGE_LIFETIME, Person, Refusal, Registration, RelyingParty};
use crate::protocol::error::ErrorCode;
use crate::store::{Account, PasskeyChallenge, PasskeyUse, Proved, Taken};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::entry::{self, Entered, Proof, Refused};
use crate::web::fault::Fault;
use crate::web::reply;
use crate::web::visit::{Purpose, Visit};
use crate::web::words::day;

/// The longest name that authenticators are sure to show (Web Authentication §6.4.1).
const LONGEST_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize)]
struct Options {
    challenge: Uuid,
    /// For `navigator.credentials`, bytes as base64url.
    #[serde(rename = "publicKey")]
    public_key: Value,
    /// Seconds since the epoch.
    expires_at: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer<T> {
    challenge: Uuid,
    credential: T,
}

#[derive(Serialize)]
struct Answered<'a> {
    next: &'a str,
}

/// Why a step did not succeed, in the words that the sign-in script knows.
enum Trouble {
    Fault(Fault),
    Expired,
    Used,
    Unknown,
    /// A new one that somebody has already.
    Known,
    NotGrown,
    Refusal(Refusal),
    Refused(Refused),
}

impl<E: Into<Fault>> From<E> for Trouble {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// `POST /interaction/{id}/passkey/options`: `{}` to `{"challenge", "publicKey", "expires_at"}`.
pub async fn options(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    ask(&ctx, *id, &body).await.unwrap_or_else(|trouble| tell(&trouble))
}

/// `POST /interaction/{id}/passkey/assertion`: `{"challenge", "credential"}` to `{"next"}`, with the session's cookie.
pub async fn assertion(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    sign_in(&ctx, *id, &body).await.unwrap_or_else(|trouble| tell(&trouble))
}

/// `POST /interaction/{id}/passkey/register-options`: `{}` to `{"challenge", "publicKey", "expires_at"}`.
pub async fn register_options(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    ask_for_new(&ctx, *id, &body).await.unwrap_or_else(|trouble| tell(&trouble))
}

/// `POST /interaction/{id}/passkey/registration`: `{"challenge", "credential"}` to `{"next"}`, with the session's cookie if it begins one.
pub async fn registration(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    register(&ctx, *id, &body).await.unwrap_or_else(|trouble| tell(&trouble))
}

async fn ask(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Trouble> {
    let (party, visit) = begin(ctx, id).await?;
    let Nothing {} = parse(body)?;
    give(ctx, &visit, Ceremony::Authentication, party.authenticate().map_err(|refusal| broken(&refusal))?).await
}

async fn sign_in(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Trouble> {
    let (party, visit) = begin(ctx, id).await?;
    let answer: Answer<Assertion> = parse(body)?;
    let state = take(ctx, &visit, Ceremony::Authentication, answer.challenge).await?;
    let credential_id = URL_SAFE_NO_PAD.encode(answer.credential.get_credential_id());
    let Some(known) = ctx.state.store.passkey(&credential_id).await? else { return Err(Trouble::Unknown) };
    let signed = party.authenticated(state, &known.passkey, &answer.credential).map_err(Trouble::Refusal)?;
    match ctx.state.store.use_passkey(&credential_id, signed.counter, signed.backup_state, ctx.now).await? {
        PasskeyUse::Noted => {}
        PasskeyUse::NotGrown => return Err(Trouble::NotGrown),
        PasskeyUse::Gone => return Err(Trouble::Unknown),
    }
    let identity = Proved { provider: Provider::passkey(), subject: credential_id, label: known.label, email: None };
    let entered = entry::enter(ctx, &visit, Proof { identity, amr: passkey::amr(signed.backup_state), anew: true })
        .await
        .map_err(Trouble::Refused)?;
    Ok(go_on(ctx, &entered))
}

async fn ask_for_new(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Trouble> {
    let (party, visit) = begin(ctx, id).await?;
    let Nothing {} = parse(body)?;
    let asked = match visit.purpose {
        Purpose::Authorize(_) | Purpose::Account | Purpose::Device(_) => {
            let name = format!("Account of {}", day(ctx.now));
            party.register(Person { user_handle: ctx.state.entropy.uuid(ctx.now), name: &name, known: &[] })
        }
        Purpose::Link(account) => {
            let account = own_account(ctx, account).await?;
            let known: Vec<String> =
                ctx.state.store.passkeys_of(account.id).await?.into_iter().map(|passkey| passkey.credential_id).collect();
            party.register(Person { user_handle: account.id.0, name: &name_of(&account), known: &known })
        }
        // A new key shows nothing of who somebody is.
        Purpose::Confirm(..) => return Err(Trouble::Refused(Refused::NotYou)),
    };
    give(ctx, &visit, Ceremony::Registration, asked.map_err(|refusal| broken(&refusal))?).await
}

async fn register(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Trouble> {
    let (party, visit) = begin(ctx, id).await?;
    let answer: Answer<Registration> = parse(body)?;
    let state = take(ctx, &visit, Ceremony::Registration, answer.challenge).await?;
    let made = party.registered(state, &answer.credential, ctx.now).map_err(Trouble::Refusal)?;
    let label = match passkey::keeper(&answer.credential) {
        Some(keeper) => format!("Passkey in {keeper}"),
        None => format!("Passkey of {}", day(ctx.now)),
    };
    let identity = Proved { provider: Provider::passkey(), subject: made.credential_id.clone(), label, email: None };
    let proof = Proof { identity, amr: passkey::amr(made.backup_state), anew: true };
    let entered = entry::register(ctx, &visit, proof, &made).await.map_err(Trouble::Refused)?.ok_or(Trouble::Known)?;
    Ok(go_on(ctx, &entered))
}

async fn begin(ctx: &Ctx, id: InteractionId) -> Result<(&RelyingParty, Visit), Trouble> {
    let visit = own_visit(ctx, id).await?;
    let party = ctx.state.passkeys.as_ref().ok_or_else(|| Fault::new(ErrorCode::NotFound, "nobody signs in by passkey here"))?;
    Ok((party, visit))
}

async fn give(ctx: &Ctx, visit: &Visit, ceremony: Ceremony, asked: Asked) -> Result<HttpResponse, Trouble> {
    let challenge = PasskeyChallenge {
        id: ctx.state.entropy.uuid(ctx.now),
        interaction_id: visit.id,
        ceremony,
        state: asked.state,
        expires_at: ctx.now.plus(CHALLENGE_LIFETIME),
    };
    ctx.state.store.put_passkey_challenge(&challenge, &visit.browser.hash()).await?;
    let options = Options { challenge: challenge.id, public_key: asked.public_key, expires_at: challenge.expires_at.seconds() };
    Ok(reply::json(StatusCode::OK, &options))
}

// Taken before the answer is looked at: right or wrong, a challenge works once.
async fn take(ctx: &Ctx, visit: &Visit, ceremony: Ceremony, challenge: Uuid) -> Result<Value, Trouble> {
    match ctx.state.store.take_passkey_challenge(challenge, ceremony, visit.id, &visit.browser.hash(), ctx.now).await? {
        Taken::Now(state) => Ok(state),
        // Unknown ones are old ones that were swept, or somebody else's, which is not said.
        Taken::Expired | Taken::Unknown => Err(Trouble::Expired),
        Taken::Already => Err(Trouble::Used),
    }
}

// Whose a passkey will be: they have shown who they are, a moment ago.
async fn own_account(ctx: &Ctx, id: AccountId) -> Result<Account, Trouble> {
    if entry::fresh(ctx, id).await?.is_none() {
        return Err(Trouble::Refused(Refused::NotYou));
    }
    ctx.state.store.account(id).await?.ok_or(Trouble::Refused(Refused::AccountDisabled))
}

// What people will see in their authenticator's list.
fn name_of(account: &Account) -> String {
    let profile = &account.profile;
    let told = [&profile.preferred_username, &profile.name, &profile.email].into_iter().flatten().find(|text| !text.is_empty());
    let first = account.identities.first().map(|identity| if identity.label.is_empty() { &identity.subject } else { &identity.label });
    told.or(first).map_or_else(|| "Account".to_owned(), |name| name.chars().take(LONGEST_NAME).collect())
}

fn go_on(ctx: &Ctx, entered: &Entered) -> HttpResponse {
    let mut response = reply::json(StatusCode::OK, &Answered { next: &entered.next });
    entered.begin(ctx, &mut response);
    response
}

// What we ask for ourselves cannot be wrong.
fn broken(refusal: &Refusal) -> Trouble {
    Trouble::Fault(Fault::Broken(refusal.to_string()))
}

fn tell(trouble: &Trouble) -> HttpResponse {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
        title: &'a str,
        message: &'a str,
    }
    let (status, error, (title, message)) = match trouble {
        Trouble::Fault(fault) | Trouble::Refused(Refused::Fault(fault)) => return fault.as_step_json(),
        Trouble::Refused(refused) => (StatusCode::FORBIDDEN, refused.code(), refused.words().unwrap_or_default()),
        Trouble::Expired => (
            StatusCode::BAD_REQUEST,
            "challenge_expired",
            ("That took a little long", "The question to your passkey has expired. Try again."),
        ),
        Trouble::Used => {
            (StatusCode::BAD_REQUEST, "challenge_used", ("This was answered already", "Each question to a passkey works once. Try again."))
        }
        Trouble::Unknown => (
            StatusCode::BAD_REQUEST,
            "passkey_unknown",
            ("This passkey is not known here", "It may have been removed from its account. Use another one, or sign in in another way."),
        ),
        Trouble::Known => (
            StatusCode::BAD_REQUEST,
            "passkey_known",
            ("This passkey is in use already", "Somebody signs in here with it. If that is you, sign in with it."),
        ),
        Trouble::NotGrown => (
            StatusCode::FORBIDDEN,
            "passkey_not_grown",
            (
                "This passkey may have been copied",
                "Its device counts how often it signs, and that count did not grow. Sign in in another way, and remove this passkey on your account page.",
            ),
        ),
        Trouble::Refusal(refusal) => {
            tracing::info!(reason = %refusal, "a passkey was refused");
            let (error, words) = refused(refusal);
            (StatusCode::BAD_REQUEST, error, words)
        }
    };
    reply::json(status, &Body { error, title, message })
}

const fn refused(refusal: &Refusal) -> (&'static str, (&'static str, &'static str)) {
    match refusal {
        Refusal::AnotherSite => {
            ("passkey_of_another_site", ("This was not made for this site", "Look at the address of this page, then begin again."))
        }
        Refusal::NotVerified => (
            "passkey_not_verified",
            (
                "Your device did not check that it is you",
                "Passkeys work here with a fingerprint, your face or a PIN. Set one of them up on your device, then try again.",
            ),
        ),
        Refusal::AnothersHandle | Refusal::Invalid(_) => {
            ("passkey_invalid", ("The passkey could not be checked", "Try again, or use another passkey."))
        }
    }
}
