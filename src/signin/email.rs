//! Signing in by email: an address is asked for, a code mailed there, and the code typed in the browser that asked, on whatever device the
//! mail was read.
//!
//! Whose address it is makes no difference before the code was right: the same is done for everybody, and nothing is looked up.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Path;

use crate::domain::{Email, EmailCode, EmailCodeId, InteractionId, Provider};
use crate::limits::{Allowance, DAY, HOUR, TooMany, Try};
use crate::policy::email_code::{Standing, standing};
use crate::protocol::error::ErrorCode;
use crate::protocol::params::Params;
use crate::state::State;
use crate::store::{EmailCodeState, EmailTry, MailState, NewEmailCode, Proved};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::entry::{self, Proof, Refused};
use crate::web::fault::Fault;
use crate::web::pages::{EmailPage, EmailProblem, EmailStage, ErrorPage, Fault as Whose, Link};
use crate::web::visit::{self, Purpose, Visit};
use crate::web::{post, posted, reply, words};

/// RFC 8176 §2: "otp": "One-time password".
const OTP: &str = "otp";

/// Whether people can sign in so.
#[must_use]
pub fn is_on(state: &State) -> bool {
    state.mail.is_some() && state.config.email_codes.enabled
}

/// `GET /interaction/{id}/email`: the page for the code, or for an address where there is no code yet.
pub async fn get(ctx: Ctx, id: Path<InteractionId>) -> HttpResponse {
    look(&ctx, *id).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /interaction/{id}/email`: `email`, to which a code is mailed.
pub async fn ask(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    mail(&ctx, *id, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /interaction/{id}/email/code`: `code`, as it was mailed.
pub async fn code(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    enter(&ctx, *id, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn look(ctx: &Ctx, id: InteractionId) -> Result<HttpResponse, Fault> {
    let visit = on(ctx, id).await?;
    let code = ctx.state.store.email_code(visit.id, &visit.browser.hash()).await?;
    let changes = Params::decode(ctx.request.query_string()).has("change");
    Ok(match code.filter(|_| !changes) {
        Some(code) => code_page(ctx, &visit, StatusCode::OK, &code, None),
        None => page(ctx, &visit, StatusCode::OK, EmailStage::Address { typed: String::new() }, None),
    })
}

async fn mail(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    // Charged only now: another site's page can make a browser post, and must not be able to use up its tries.
    ctx.charge(Try::SignIn)?;
    let visit = on(ctx, id).await?;
    let typed = form.get("email")?.unwrap_or_default();
    let Ok(email) = typed.parse::<Email>() else {
        let stage = EmailStage::Address { typed: typed.chars().take(254).collect() };
        let words = "It should look like name@example.com.";
        return Ok(page(ctx, &visit, StatusCode::BAD_REQUEST, stage, problem("This is no email address", words)));
    };
    match charge(ctx, &email).await {
        Ok(()) => {}
        Err(Held::Wait(words, too_many)) => return wait(ctx, &visit, &email, words, too_many).await,
        Err(Held::Fault(fault)) => return Err(fault),
    }
    send(ctx, &visit, email).await?;
    Ok(reply::see_other(&format!("{}/email", visit.path())))
}

/// Why no code is mailed just now.
enum Held {
    Wait(&'static str, TooMany),
    Fault(Fault),
}

// What another one refuses must not use up the next: first the caller's own, then the address's, then everybody's. At most twenty codes a
// day of five tries each are a hundred guesses in a million for whoever wants to get in as somebody else.
async fn charge(ctx: &Ctx, email: &Email) -> Result<(), Held> {
    let settings = &ctx.state.config.email_codes;
    // However it is tagged, it is one mailbox.
    let (network, mailbox) = (ctx.network(), email.mailbox());
    let address = mailbox.as_str();
    let hourly = settings.per_address_per_hour.get();
    let of_address = "Only so many codes are mailed to one address in a short time.";
    for (kind, most, within, whose, words) in [
        (
            "email code, network",
            settings.per_network_per_hour.get(),
            HOUR,
            network.as_str(),
            "Many codes were asked for from your network.",
        ),
        ("email code, next", 1, settings.resend_after, address, of_address),
        ("email code, hour", hourly, HOUR, address, of_address),
        ("email code, day", hourly.saturating_mul(4), DAY, address, of_address),
        ("email code, all", settings.in_all_per_hour.get(), HOUR, "", "Many people are signing in by mail just now."),
    ] {
        match ctx.charge_shared(Allowance { kind, most, within }, whose).await {
            Ok(()) => {}
            Err(Fault::TooMany(too_many)) => return Err(Held::Wait(words, too_many)),
            Err(fault) => return Err(Held::Fault(fault)),
        }
    }
    Ok(())
}

// Who tries a code for each of many addresses guesses one of them in the end: tries are counted without them too, two for each code.
async fn charge_try(ctx: &Ctx) -> Result<(), Fault> {
    let settings = &ctx.state.config.email_codes;
    let network = ctx.network();
    let (most, in_all) = (settings.per_network_per_hour.get().saturating_mul(2), settings.in_all_per_hour.get().saturating_mul(2));
    let counts: [(_, _, &[u8]); 2] =
        [("email code, tries of a network", most, network.as_bytes()), ("email code, tries of all", in_all, b"")];
    ctx.charge_each(HOUR, &counts).await
}

async fn send(ctx: &Ctx, visit: &Visit, email: Email) -> Result<(), Fault> {
    let (id, key) = (EmailCodeId(ctx.state.entropy.uuid(ctx.now)), ctx.state.keys.pairwise_secret());
    let code = NewEmailCode {
        id,
        interaction_id: visit.id,
        email,
        hash: EmailCode::of(id, &key).hash(visit.id, &key),
        created_at: ctx.now,
        expires_at: ctx.now.plus(ctx.state.config.email_codes.lifetime),
    };
    let mail = ctx.state.store.put_email_code(code, &visit.browser.hash(), post::claim(&ctx.state)).await?;
    // Sent at once, while the person waits: the page then says whether it has left. If not, the worker sends it while the code lives.
    post::send(&ctx.state, &mail).await;
    Ok(())
}

async fn wait(ctx: &Ctx, visit: &Visit, email: &Email, words: &str, too_many: TooMany) -> Result<HttpResponse, Fault> {
    let words = format!("{words} You can ask for another one in {}.", words::wait(too_many.retry_after));
    let told = problem("A moment, please", &words);
    let status = StatusCode::TOO_MANY_REQUESTS;
    let code = ctx.state.store.email_code(visit.id, &visit.browser.hash()).await?;
    let mut response = match code.filter(|code| code.email == *email) {
        Some(code) => code_page(ctx, visit, status, &code, told),
        None => page(ctx, visit, status, EmailStage::Address { typed: email.as_str().to_owned() }, told),
    };
    response.headers_mut().insert(header::RETRY_AFTER, too_many.retry_after.into());
    Ok(response)
}

async fn enter(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    ctx.charge(Try::SignIn)?;
    let visit = on(ctx, id).await?;
    charge_try(ctx).await?;
    let (browser, key) = (visit.browser.hash(), ctx.state.keys.pairwise_secret());
    // What is no code at all is tried like any other: it counts.
    let hash = EmailCode::parse(form.get("code")?.unwrap_or_default())
        .map_or_else(|| ctx.state.entropy.secret().hash(), |code| code.hash(visit.id, &key));
    let told = match ctx.state.store.try_email_code(visit.id, &browser, &hash, ctx.now).await? {
        EmailTry::Right(email) => return Ok(admit(ctx, &visit, email).await),
        EmailTry::Wrong { left: 0 } | EmailTry::Over => None,
        EmailTry::Wrong { left: 1 } => problem("That is not the code", "Look at the mail again: you can try once more."),
        EmailTry::Wrong { left } => problem("That is not the code", &format!("Look at the mail again: you can try {left} more times.")),
        EmailTry::Unknown => return Ok(reply::see_other(&visit.path())),
    };
    let code = ctx.state.store.email_code(visit.id, &browser).await?;
    Ok(code.map_or_else(|| reply::see_other(&visit.path()), |code| code_page(ctx, &visit, StatusCode::BAD_REQUEST, &code, told)))
}

// Only who has read the mail comes here: now it may be said whose the address is.
async fn admit(ctx: &Ctx, visit: &Visit, email: Email) -> HttpResponse {
    let identity =
        Proved { provider: Provider::email(), subject: email.as_str().to_owned(), label: email.as_str().to_owned(), email: Some(email) };
    match entry::enter(ctx, visit, Proof { identity, amr: vec![OTP.to_owned()], anew: true }).await {
        Ok(entered) => {
            let mut response = reply::see_other(&entered.next);
            entered.begin(ctx, &mut response);
            response
        }
        Err(Refused::Fault(fault)) => fault.as_page(ctx),
        Err(refused) => turned_away(ctx, visit, &refused),
    }
}

fn turned_away(ctx: &Ctx, visit: &Visit, refused: &Refused) -> HttpResponse {
    let (title, what) = refused.words().unwrap_or_default();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), title);
    let page = ErrorPage {
        frame: frame.clone(),
        status: StatusCode::FORBIDDEN.as_u16(),
        title: title.to_owned(),
        what: what.to_owned(),
        whose: Whose::You,
        todo: String::new(),
        detail: None,
        back: Some(Link { href: visit.path(), label: "Sign in another way".to_owned() }),
    };
    reply::page(StatusCode::FORBIDDEN, &frame, &page, None)
}

// The visit, where this way is on at all.
async fn on(ctx: &Ctx, id: InteractionId) -> Result<Visit, Fault> {
    if is_on(&ctx.state) { visit::load(ctx, id).await } else { Err(Fault::new(ErrorCode::NotFound, "nobody signs in by email here")) }
}

#[expect(clippy::unnecessary_wraps, reason = "a page may have one, and each caller has one for it")]
fn problem(title: &str, words: &str) -> Option<EmailProblem> {
    Some(EmailProblem { title: title.to_owned(), words: words.to_owned() })
}

// The page for a code; `told` is what came of trying it.
fn code_page(ctx: &Ctx, visit: &Visit, status: StatusCode, code: &EmailCodeState, told: Option<EmailProblem>) -> HttpResponse {
    let stands = standing(code, ctx.now);
    let told = told.or_else(|| match (stands, code.mail_state) {
        (Standing::Used, _) => problem("This code was used already", "Each code can be used once. Ask for another one."),
        (Standing::Guessed, _) => problem("This code does not work any more", "It was typed wrong too often. Ask for another one."),
        (Standing::Expired, _) => problem("That took a little long", "The code has expired. Ask for another one."),
        (Standing::Alive, MailState::Waiting) => problem(
            "The mail could not be sent yet",
            "Our mail server does not take it just now. That is not your fault. We go on trying while the code is good; or sign in another way.",
        ),
        (Standing::Alive, MailState::Refused) => problem(
            "The mail could not be sent",
            "The mail server refused to send to this address. Check that it is right; or sign in another way.",
        ),
        (Standing::Alive, MailState::Sent) => None,
    });
    let stage = EmailStage::Code {
        email: code.email.as_str().to_owned(),
        sent: code.mail_state == MailState::Sent,
        alive: stands == Standing::Alive && code.mail_state != MailState::Refused,
    };
    page(ctx, visit, status, stage, told)
}

fn page(ctx: &Ctx, visit: &Visit, status: StatusCode, stage: EmailStage, problem: Option<EmailProblem>) -> HttpResponse {
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Sign in by email");
    let page = EmailPage { frame: frame.clone(), interaction: visit.id.to_string(), csrf: visit.browser.csrf(), stage, problem };
    // Who has agreed before is not asked: then the form of the code ends at the app.
    let return_to = match &visit.purpose {
        Purpose::Authorize(request) => Some(&request.return_path.redirect_uri),
        Purpose::Account | Purpose::Device(_) | Purpose::Link(_) | Purpose::Confirm(..) => None,
    };
    reply::page(status, &frame, &page, return_to)
}
