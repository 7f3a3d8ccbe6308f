//! A person's answer to a request that asks for access to their assets: the consent and the grants, in one transaction.

use super::dialect::{on, sql};
use super::{GrantOutcome, Granting, NewGrant, Store, StoreError, consents, grant_lists, grants};
use crate::domain::{AccountId, AssetDid, ClientId, InteractionId, Scope, Timestamp, TokenHash};

sql! {
    /// Holds the visit until the end of the transaction: it is not finished meanwhile, and nobody else answers in it.
    HOLD = "
        UPDATE interaction SET expires_at = expires_at
        WHERE id = $1 AND browser_hash = $2 AND expires_at > $3";
}

/// What a person agrees to in a visit.
#[derive(Clone, Debug)]
pub struct Agreeing {
    pub visit: InteractionId,
    pub browser: TokenHash,
    pub account: AccountId,
    pub client: ClientId,
    pub scope: Scope,
    /// How the grants are made.
    pub granting: Granting,
    pub grants: Vec<NewGrant>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreed {
    /// All is stored, now or by the same answer a moment ago.
    Done,
    /// Nothing is: the visit is over.
    Over,
    /// Nothing is: this asset has changed hands, or the account or the client has been disabled.
    NotTheirs(Option<AssetDid>),
}

impl Store {
    /// Stores the consent and the grants of an answer, all of it or nothing. Who sends the same answer twice at once has agreed once.
    pub async fn agree(&self, agreeing: Agreeing, now: Timestamp) -> Result<Agreed, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let Agreeing { visit, browser, account, client, scope, granting, grants: new } = agreeing;
                let as_many = i64::try_from(new.len()).unwrap_or(i64::MAX);
                let made = match grants::prepare(&mut conn, &granting, new, now).await? {
                    GrantOutcome::Made(made) => made,
                    GrantOutcome::NotTheirs(asset) | GrantOutcome::TooMany(asset) => return Ok(Agreed::NotTheirs(asset)),
                    GrantOutcome::NoGrantee(_) => return Ok(Agreed::NotTheirs(None)),
                };
                if on!(conn, execute(HOLD, visit, browser, now))? == 0 {
                    return Ok(Agreed::Over);
                }
                if grant_lists::of_visit(&mut conn, visit, account).await? >= as_many {
                    return Ok(Agreed::Done);
                }
                consents::save(&mut conn, account, &client, &scope, now).await?;
                grants::write(&mut conn, &granting, &made, now).await?;
                Ok(Agreed::Done)
            })
        })
        .await
    }
}
