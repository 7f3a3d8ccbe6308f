//! `/account/password`: a person sets the password of their account, or another one in its place.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::page::signed_in;
use crate::domain::{Email, NewPassword, Provider};
use crate::limits::{TooMany, Try};
use crate::passwords::{COME_AGAIN, NotHashed};
use crate::store::{Account, Linked};
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::entry;
use crate::web::fault::Fault;
use crate::web::pages::AccountPasswordPage;
use crate::web::visit::{self, Purpose, Then, VisitFault};
use crate::web::{posted, reply};

/// `GET /account/password`; whoever has not proved a moment ago to be who they are is asked to.
pub async fn get(ctx: Ctx) -> HttpResponse {
    show(&ctx).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

/// `POST /account/password`: `email`, one of the account's own, and `password`.
pub async fn post(ctx: Ctx, body: Body) -> HttpResponse {
    set(&ctx, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn show(ctx: &Ctx) -> Result<HttpResponse, Fault> {
    if ctx.state.passwords.is_none() {
        return Ok(reply::see_other("/account"));
    }
    let Some((session, account)) = signed_in(ctx).await? else { return visit::begin(ctx, &Purpose::Account).await };
    if !entry::recent(ctx, &session) {
        return visit::begin(ctx, &Purpose::Confirm(account.id, Then::Password)).await;
    }
    Ok(page(ctx, &account, None))
}

async fn set(ctx: &Ctx, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    let Some(pool) = &ctx.state.passwords else { return Err(Fault::Visit(VisitFault::Over)) };
    ctx.charge(Try::SignIn)?;
    let Some((session, account)) = signed_in(ctx).await? else { return Ok(reply::see_other("/account/password")) };
    if !entry::recent(ctx, &session) {
        return visit::begin(ctx, &Purpose::Confirm(account.id, Then::Password)).await;
    }
    let email = form.get("email")?.and_then(|text| text.parse::<Email>().ok()).filter(|email| own(&account).contains(email));
    let Some(email) = email else { return Ok(page(ctx, &account, Some("Choose one of the addresses of this account.".to_owned()))) };
    let password = match NewPassword::parse(form.get("password")?.unwrap_or_default(), email.as_str()) {
        Ok(password) => password,
        Err(reason) => return Ok(page(ctx, &account, Some(sentence(&reason.to_string())))),
    };
    let hash = pool.hash(password.secret().clone()).await.map_err(|reason| match reason {
        NotHashed::Busy => Fault::TooMany(TooMany { retry_after: COME_AGAIN }),
        NotHashed::Failed => Fault::Broken(reason.to_string()),
    })?;
    match ctx.state.store.set_password(account.id, &email, &hash, session.id, ctx.now).await? {
        Linked::Now | Linked::Already => Ok(reply::see_other("/account?added=1#ways")),
        Linked::Another => {
            let words = "The password of this account goes with another address. Remove that one on your account page first.";
            Ok(page(ctx, &account, Some(words.to_owned())))
        }
        Linked::EmailElsewhere | Linked::NoAccount => {
            Ok(page(ctx, &account, Some("Choose one of the addresses of this account.".to_owned())))
        }
    }
}

fn page(ctx: &Ctx, account: &Account, problem: Option<String>) -> HttpResponse {
    let browser = ctx.browser();
    let frame = reply::frame(&ctx.state, &ctx.request_id(), "Your password");
    let page = AccountPasswordPage {
        frame: frame.clone(),
        csrf: browser.csrf(),
        emails: own(account).iter().map(ToString::to_string).collect(),
        replaces: account.identities.iter().any(|identity| identity.provider.as_str() == Provider::PASSWORD),
        problem,
    };
    let status = if page.problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let mut response = reply::page(status, &frame, &page, None);
    if browser.new {
        visit::add_cookie(&mut response, &browser.cookie(ctx.secure()));
    }
    response
}

// The addresses that are proved, each once.
fn own(account: &Account) -> Vec<Email> {
    let mut emails: Vec<Email> = account.identities.iter().filter_map(|identity| identity.email.clone()).collect();
    emails.sort();
    emails.dedup();
    emails
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
