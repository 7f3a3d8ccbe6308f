//! Signing in by email address and password: one form, without script.

use actix_web::HttpResponse;
use actix_web::web::Path;

use crate::domain::{Email, InteractionId, Provider, typed_password};
use crate::limits::{HOUR, TooMany, Try};
use crate::passwords::{COME_AGAIN, Checked, NotHashed};
use crate::store::Proved;
use crate::tokens;
use crate::web::body::Body;
use crate::web::ctx::Ctx;
use crate::web::entry::{self, Proof, Refused};
use crate::web::fault::Fault;
use crate::web::visit::{self, VisitFault};
use crate::web::{posted, reply};

/// `POST /interaction/{id}/password`: `email` and `password`.
pub async fn post(ctx: Ctx, id: Path<InteractionId>, body: Body) -> HttpResponse {
    sign_in(&ctx, *id, &body).await.unwrap_or_else(|fault| fault.as_page(&ctx))
}

async fn sign_in(ctx: &Ctx, id: InteractionId, body: &Body) -> Result<HttpResponse, Fault> {
    let form = posted::own(ctx, body)?;
    let visit = visit::load(ctx, id).await?;
    let Some(pool) = &ctx.state.passwords else { return Err(Fault::Visit(VisitFault::Over)) };
    ctx.charge(Try::SignIn)?;
    let wrong = || Ok(reply::see_other(&format!("{}?wrong=password", visit.path())));
    let email: Option<Email> = form.get("email")?.and_then(|text| text.parse().ok());
    let (Some(email), Some(typed)) = (email, typed_password(form.get("password")?.unwrap_or_default())) else { return wrong() };
    charge(ctx, &email).await?;
    // Somebody who has no password here costs the same work, so that nobody learns by the time who has one.
    let kept = ctx.state.store.password_hash(&email).await?;
    match pool.check(typed, kept.clone()).await.map_err(not_hashed)? {
        Checked::Wrong => return wrong(),
        Checked::Right => {}
        Checked::Rehashed(new) => {
            ctx.state.store.rehash_password(&email, &kept.unwrap_or_default(), &new, ctx.now).await?;
        }
    }
    let provider = Provider::new(Provider::PASSWORD);
    // A password does not prove that the mailbox is theirs; the identity of the mailbox does.
    let identity = Proved { provider, subject: email.to_string(), label: email.to_string(), email: None };
    let proof = Proof { identity, amr: vec![tokens::PWD.to_owned()], anew: true };
    match entry::enter_known(ctx, &visit, proof).await {
        Ok(entered) => {
            let mut response = reply::see_other(&entered.next);
            entered.begin(ctx, &mut response);
            Ok(response)
        }
        Err(Refused::Fault(fault)) => Err(fault),
        Err(refused) => Ok(reply::see_other(&format!("{}?wrong={}", visit.path(), refused.code()))),
    }
}

// A password may be guessed by whoever knows the address: every try counts, whether there is such a person or not.
async fn charge(ctx: &Ctx, email: &Email) -> Result<(), Fault> {
    let settings = &ctx.state.config.passwords;
    let network = ctx.network();
    let counts: [(_, _, &[u8]); 3] = [
        ("password, network", settings.per_network_per_hour.get(), network.as_bytes()),
        ("password, address", settings.per_address_per_hour.get(), email.as_str().as_bytes()),
        ("password, all", settings.in_all_per_hour.get(), b""),
    ];
    ctx.charge_each(HOUR, &counts).await
}

fn not_hashed(reason: NotHashed) -> Fault {
    match reason {
        NotHashed::Busy => Fault::TooMany(TooMany { retry_after: COME_AGAIN }),
        NotHashed::Failed => Fault::Broken(reason.to_string()),
    }
}
