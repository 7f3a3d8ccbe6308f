//! Claim codes: whoever has one takes over an asset that was imported without an owner, once.

use super::dialect::{Conn, on, sql};
use super::{Actor, Store, StoreError, grants};
use crate::domain::{AccountId, AssetDid, Timestamp, TokenHash};

sql! {
    /// Nothing for an asset that has an owner.
    PUT = "
        INSERT INTO asset_claim (code_hash, did, created_at, expires_at)
        SELECT $1, a.did, $3, $4 FROM asset a WHERE a.did = $2 AND a.owner_address IS NULL AND a.owner_account IS NULL";
    FORGET = "DELETE FROM asset_claim WHERE did = $1 AND claimed_at IS NULL";
    TAKE = "
        UPDATE asset_claim SET claimed_at = $3, claimed_by = $2
        WHERE code_hash = $1 AND claimed_at IS NULL AND expires_at > $3
          AND EXISTS (SELECT 1 FROM account p WHERE p.id = $2 AND p.disabled_at IS NULL)
        RETURNING did";
    OWN = "
        UPDATE asset SET owner_account = $2, epoch = epoch + 1, updated_at = $3
        WHERE did = $1 AND owner_address IS NULL AND owner_account IS NULL";
}

impl Store {
    /// Makes a claim code the only one of an asset; those that nobody used stop working. False: there is no such asset, or it has an
    /// owner.
    pub async fn put_asset_claim(
        &self,
        did: &AssetDid,
        code: TokenHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let did = *did;
        self.transaction(move |mut conn| {
            Box::pin(async move {
                on!(conn, execute(FORGET, did))?;
                put(&mut conn, &did, code, expires_at, now).await
            })
        })
        .await
    }

    /// Takes over an asset by a claim code: of many who try at once, one gets it. `None`: the code is unknown, expired or used, the
    /// account is disabled, or the asset has got an owner by other means; in that last case the code is spent all the same, since it
    /// can never work again.
    pub async fn take_asset_claim(&self, code: &TokenHash, account: AccountId, now: Timestamp) -> Result<Option<AssetDid>, StoreError> {
        let code = *code;
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let did: Option<AssetDid> = on!(conn, value(TAKE, code, account, now))?;
                let Some(did) = did else { return Ok(None) };
                if on!(conn, execute(OWN, did, account, now))? == 0 {
                    return Ok(None);
                }
                grants::end_for_transfer(&mut conn, &did, &Actor::Owner { account, by: None }, now).await?;
                Ok(Some(did))
            })
        })
        .await
    }
}

/// Stores a code beside those that are there. False: there is no such asset, or it has an owner.
pub(super) async fn put(
    conn: &mut Conn<'_>,
    did: &AssetDid,
    code: TokenHash,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(on!(*conn, execute(PUT, code, did, now, expires_at))? > 0)
}
