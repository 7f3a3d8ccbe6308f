//! A passkey that was just made. Unlike other proofs it says nothing of who somebody is: whoever comes with a credential id has chosen it.
//! So it makes an account or is added to one, and never leads into an account that is there already.

use super::{Entered, Proof, Refused, begin, ended, fresh};
use crate::domain::AccountId;
use crate::store::{Linked, Passkey, SessionDevice};
use crate::web::ctx::Ctx;
use crate::web::visit::{Purpose, Visit};

/// Takes a new passkey. `None`: somebody has it already.
pub async fn register(ctx: &Ctx, visit: &Visit, proof: Proof, passkey: &Passkey) -> Result<Option<Entered>, Refused> {
    match visit.purpose {
        Purpose::Authorize(_) | Purpose::Account | Purpose::Device(_) => sign_up(ctx, visit, proof, passkey).await,
        Purpose::Link(account) if fresh(ctx, account).await?.is_some() => link(ctx, visit, account, &proof, passkey).await,
        Purpose::Link(_) | Purpose::Confirm(..) => Err(Refused::NotYou),
    }
}

async fn sign_up(ctx: &Ctx, visit: &Visit, proof: Proof, passkey: &Passkey) -> Result<Option<Entered>, Refused> {
    // The authenticator knows the account by this id, so the account has it.
    let id = AccountId(passkey.user_handle);
    if ctx.state.store.sign_up_by_passkey(&proof.identity, passkey, id, ctx.now).await? {
        begin(ctx, visit, id, SessionDevice::Known, proof).await.map(Some)
    } else {
        Ok(None)
    }
}

async fn link(ctx: &Ctx, visit: &Visit, account: AccountId, proof: &Proof, passkey: &Passkey) -> Result<Option<Entered>, Refused> {
    match ctx.state.store.link_passkey(account, &proof.identity, passkey, ctx.now).await? {
        Linked::Now => ended(ctx, visit, "/account?added=1#ways").await.map(Some),
        Linked::Already | Linked::Another => Ok(None),
        Linked::EmailElsewhere => Err(Refused::EmailElsewhere),
        Linked::NoAccount => Err(Refused::AccountDisabled),
    }
}
