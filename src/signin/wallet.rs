//! The wallet on the sign-in page: a challenge for an account, and the signature that answers it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::web::Path;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{device, page};
use crate::domain::{Address, InteractionId, Provider};
use crate::limits::Try;
use crate::policy::wallet::{self as proof, App, Signer};
use crate::protocol::error::ErrorCode;
use crate::store::{Proved, SigninChallenge, Taken, WalletChallenge};
use crate::tokens;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::entry::{self, Proof, Refused};
use crate::web::fault::Fault;
use crate::web::pages::Chain;
use crate::web::visit::{self, Purpose, Visit, VisitFault};
use crate::web::{posted, reply, ways};

const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    address: String,
    chain_id: u64,
}

#[derive(Serialize)]
struct Asked {
    challenge: Uuid,
    message: String,
    /// Seconds since the epoch.
    expires_at: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    challenge: Uuid,
    signature: String,
}

#[derive(Serialize)]
struct Answered {
    next: String,
}

/// Why a step did not succeed, in the words that the sign-in script knows.
enum Trouble {
    Fault(Fault),
    ChainNotSupported(Vec<Chain>),
    Expired,
    Used,
    SignatureInvalid,
    Refused(Refused),
    License,
}

impl<E: Into<Fault>> From<E> for Trouble {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

/// `POST /interaction/{id}/wallet/challenge`: `{"address", "chain_id"}` to `{"challenge", "message", "expires_at"}`.
pub async fn challenge(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    ask(&ctx, *id, &body).await.unwrap_or_else(|trouble| tell(&trouble))
}

/// `POST /interaction/{id}/wallet/signature`: `{"challenge", "signature"}` to `{"next"}`, with the session's cookie.
pub async fn signature(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    answer(&ctx, *id, &body).await.unwrap_or_else(|trouble| tell(&trouble))
}

async fn ask(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Trouble> {
    let visit = wallets_visit(ctx, id).await?;
    let ask: Ask = parse(body)?;
    let address: Address = ask.address.parse().map_err(|_| Fault::new(ErrorCode::InvalidRequest, "address is not an Ethereum address"))?;
    let chains = page::chains(&ctx.state);
    if !chains.iter().any(|chain| chain.id == ask.chain_id) {
        return Err(Trouble::ChainNotSupported(chains));
    }
    // The message says seconds, and what it says must hold: no signature counts after its Expiration Time.
    let issued_at = ctx.now.whole_second();
    let challenge = SigninChallenge {
        id: ctx.state.entropy.uuid(ctx.now),
        interaction_id: id,
        message: WalletChallenge {
            address,
            chain_id: ask.chain_id,
            nonce: proof::nonce(ctx.state.entropy.bytes()),
            statement: statement(ctx, &visit).await?,
            issued_at,
            expires_at: issued_at.plus(ctx.state.config.wallet.challenge_lifetime),
        },
    };
    // A license is signed for by its API keys and nobody else, whoever holds the key of its address.
    if !ctx.state.store.put_signin_challenge(&challenge, &visit.browser.hash()).await? {
        return Err(Trouble::License);
    }
    let reply = Asked { challenge: challenge.id, message: message_of(ctx, &challenge), expires_at: challenge.message.expires_at.seconds() };
    Ok(reply::json(StatusCode::OK, &reply))
}

async fn answer(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Trouble> {
    let visit = wallets_visit(ctx, id).await?;
    let answer: Answer = parse(body)?;
    // Taken before it is looked at: right or wrong, it works once.
    let challenge = match ctx.state.store.take_signin_challenge(answer.challenge, id, &visit.browser.hash(), ctx.now).await? {
        Taken::Now(challenge) => challenge,
        // Unknown ones are old ones that were swept, or somebody else's, which is not said.
        Taken::Expired | Taken::Unknown => return Err(Trouble::Expired),
        Taken::Already => return Err(Trouble::Used),
    };
    match proof::signer(&message_of(ctx, &challenge), &answer.signature) {
        Signer::Key(key) if key == challenge.message.address => {}
        // Contract accounts (EIP-1271, EIP-6492) are to be asked here, by the chain.
        Signer::Key(_) | Signer::NoKey => return Err(Trouble::SignatureInvalid),
    }
    let subject = challenge.message.address.to_string();
    let identity = Proved { provider: Provider::web3(), subject, label: String::new(), email: None };
    let entered =
        entry::enter(ctx, &visit, Proof { identity, amr: vec![tokens::POP.to_owned()], anew: true }).await.map_err(Trouble::Refused)?;
    let mut response = reply::json(StatusCode::OK, &Answered { next: entered.next.clone() });
    entered.begin(ctx, &mut response);
    Ok(response)
}

/// The visit of a script's step: it must come from our own page in the browser that began it.
pub(super) async fn own_visit(ctx: &Ctx, id: InteractionId) -> Result<Visit, Fault> {
    posted::check_token(ctx, ctx.header(CSRF_HEADER))?;
    // Charged only now: another site's page can make a browser ask, and must not be able to use up its tries.
    ctx.charge(Try::SignIn)?;
    visit::load(ctx, id).await
}

// The same of a wallet's step, where people may sign in with one.
async fn wallets_visit(ctx: &Ctx, id: InteractionId) -> Result<Visit, Fault> {
    let visit = own_visit(ctx, id).await?;
    if ways::is_on(&ctx.state, Provider::WEB3) {
        Ok(visit)
    } else {
        Err(Fault::new(ErrorCode::NotFound, "nobody signs in with a wallet here"))
    }
}

async fn statement(ctx: &Ctx, visit: &Visit) -> Result<String, Fault> {
    match &visit.purpose {
        Purpose::Link(account) if entry::fresh(ctx, *account).await?.is_some() => Ok(proof::link_statement()),
        Purpose::Account | Purpose::Link(_) | Purpose::Confirm(..) => Ok(proof::statement(None)),
        Purpose::Authorize(request) => {
            let client = ctx.state.client(&request.client_id).await?;
            let name = client.as_ref().map_or(request.client_id.as_str(), |client| client.name.as_str());
            Ok(proof::statement(Some(App { name, host: request.return_path.redirect_uri.host(), agrees_to: None })))
        }
        Purpose::Device(id) => {
            let client = device::client_of(ctx, *id).await?.ok_or(Fault::Visit(VisitFault::Over))?;
            Ok(proof::device_statement(&client.name))
        }
    }
}

fn message_of(ctx: &Ctx, challenge: &SigninChallenge) -> String {
    let issuer = &ctx.state.config.server.issuer;
    proof::message(&challenge.message, issuer.host(), issuer.as_str(), &challenge.id.to_string())
}

/// The JSON of a script's step.
pub(super) fn parse<T: DeserializeOwned>(body: &Body) -> Result<T, Fault> {
    serde_json::from_slice(body.bytes()?)
        .map_err(|reason| Fault::new(ErrorCode::InvalidRequest, format!("the request is not the JSON that was expected: {reason}")))
}

fn tell(trouble: &Trouble) -> HttpResponse {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
        title: &'a str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        chains: Option<Vec<ChainBody<'a>>>,
    }
    #[derive(Serialize)]
    struct ChainBody<'a> {
        id: u64,
        name: &'a str,
    }
    let body = |error, title, message| Body { error, title, message, chains: None };
    let (status, body) = match trouble {
        Trouble::Fault(fault) | Trouble::Refused(Refused::Fault(fault)) => return fault.as_step_json(),
        Trouble::ChainNotSupported(chains) => {
            let chains = chains.iter().map(|chain| ChainBody { id: chain.id, name: &chain.name }).collect();
            let words =
                body("chain_not_supported", "Your wallet is on another network", "Switch your wallet to one of these networks and go on.");
            (StatusCode::BAD_REQUEST, Body { chains: Some(chains), ..words })
        }
        Trouble::Expired => (
            StatusCode::BAD_REQUEST,
            body("challenge_expired", "That took a little long", "The message to sign has expired. Ask for a new one."),
        ),
        Trouble::Used => (
            StatusCode::BAD_REQUEST,
            body("challenge_used", "This message was used already", "Each message can be signed in with once. Ask for a new one."),
        ),
        Trouble::SignatureInvalid => (
            StatusCode::BAD_REQUEST,
            body(
                "signature_invalid",
                "The signature does not fit the account",
                "The account that signed is not the one you chose, or it is a contract wallet, which cannot sign in here yet.",
            ),
        ),
        Trouble::License => {
            let words = "Its developer signs in to it with an API key, and nobody signs in here with it. Choose another account.";
            (StatusCode::BAD_REQUEST, body("address_is_license", "This address belongs to a developer license", words))
        }
        Trouble::Refused(refused) => {
            let (title, message) = refused.words().unwrap_or_default();
            (StatusCode::FORBIDDEN, body(refused.code(), title, message))
        }
    };
    reply::json(status, &body)
}
