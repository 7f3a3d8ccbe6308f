//! Grants: made by whoever owns the asset at that very moment, changed and ended, each with a line of history in the same transaction.

use std::time::Duration;

use sqlx::FromRow;
use sqlx::types::Json;

use super::assets::owned_by;
use super::dialect::{Conn, on, read, sql};
use super::grant_history::{What, note};
use super::grant_rows::{GrantRow, grant_columns};
use super::{Actor, Store, StoreError};
use crate::domain::{
    AccountId, Address, AssetDid, ClientId, EventFilter, Grant, GrantEnd, GrantId, GrantSource, InteractionId, PermissionSet, Timestamp,
};

/// The most living grants of one client on one asset, and on all assets of one account, that owners make; and as many again that the
/// operator makes. The exchange reads no more.
pub const MOST_LIVING_GRANTS: i64 = 32;

/// How long a grant is kept after its end, with its history.
const KEPT: Duration = Duration::from_hours(365 * 24);

/// A grant that is to be made.
#[derive(Clone, Debug)]
pub struct NewGrant {
    pub id: GrantId,
    /// The asset, and its ownership epoch as it was when the grant was agreed to; `None`: all assets of the account that grants.
    pub asset: Option<(AssetDid, i64)>,
    pub grantee: ClientId,
    pub permissions: PermissionSet,
    pub events: Vec<EventFilter>,
    pub effective_at: Timestamp,
    pub expires_at: Timestamp,
    pub template: Option<String>,
    pub purpose: Option<String>,
}

/// Who makes grants, and how.
#[derive(Clone, Debug)]
pub struct Granting {
    /// The owner, or the operator in the owner's place. Nobody else grants.
    pub by: Actor,
    pub source: GrantSource,
    /// The visit in which the person agreed.
    pub visit: Option<InteractionId>,
    /// Whether a living grant to the same client on the same asset, made by the same hand, ends with it.
    pub replaces: bool,
}

/// What became of grants that were to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantOutcome {
    /// All of them, in the order in which they came.
    Made(Vec<Grant>),
    /// None: this asset is not theirs, or not any more, or there is no such asset; or, without an asset, there is no such account.
    NotTheirs(Option<AssetDid>),
    /// None: there is no such client, or it is disabled.
    NoGrantee(ClientId),
    /// None: this client has as many living grants there as the exchange reads.
    TooMany(Option<AssetDid>),
}

/// What is to be different; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct GrantChange {
    pub permissions: Option<PermissionSet>,
    pub events: Option<Vec<EventFilter>>,
    pub expires_at: Option<Timestamp>,
    /// Only if nobody has changed it since it was as whoever decided saw it: its `updated_at` then.
    pub seen: Option<Timestamp>,
}

/// Whether a row of `asset_grant` is an account's to change and to end: it granted it, or the asset is its own now.
macro_rules! theirs {
    ($account:literal) => {
        concat!(
            "(asset_grant.grantor_account = ",
            $account,
            " OR EXISTS (SELECT 1 FROM asset WHERE asset.did = asset_grant.asset AND ",
            owned_by!($account),
            "))"
        )
    };
}

sql! {
    GRANT = concat!("SELECT ", grant_columns!("g"), " FROM asset_grant g WHERE g.id = $1");
    /// Holds the account until the end of the transaction: it is not disabled meanwhile.
    HOLD_ACCOUNT = "UPDATE account SET updated_at = updated_at WHERE id = $1 AND disabled_at IS NULL";
    /// Holds an asset of theirs in the epoch in which they agreed: it is not transferred meanwhile.
    HOLD_OWNED = concat!("
        UPDATE asset SET epoch = epoch
        WHERE did = $1 AND epoch = $2 AND ", owned_by!("$3"), "
        RETURNING owner_address, $3 AS owner");
    /// The same for the operator, who speaks for whoever owns it.
    HOLD_ANY = "
        UPDATE asset SET epoch = epoch
        WHERE did = $1 AND epoch = $2
        RETURNING owner_address,
                  COALESCE(owner_account, (SELECT i.account_id FROM identity i
                                           WHERE i.provider = 'web3' AND i.subject = asset.owner_address)) AS owner";
    GRANTEE = "SELECT id FROM client WHERE id = $1 AND disabled_at IS NULL";
    LIVING_ON = "
        SELECT COUNT(*) FROM asset_grant
        WHERE grantee = $1 AND asset = $2 AND ended_at IS NULL AND expires_at > $3 AND (source = 'operator') = ($4 = 'operator')";
    LIVING_OF = "
        SELECT COUNT(*) FROM asset_grant
        WHERE grantor_account = $1 AND grantee = $2 AND asset IS NULL AND ended_at IS NULL AND expires_at > $3
          AND (source = 'operator') = ($4 = 'operator')";
    REPLACE_ON = "
        UPDATE asset_grant SET ended_at = $3, ended = 'replaced', updated_at = $3, sweep_at = $4
        WHERE grantee = $1 AND asset = $2 AND ended_at IS NULL AND expires_at > $3 AND (source = 'operator') = ($5 = 'operator')
        RETURNING id";
    REPLACE_OF = "
        UPDATE asset_grant SET ended_at = $3, ended = 'replaced', updated_at = $3, sweep_at = $4
        WHERE grantor_account = $1 AND grantee = $2 AND asset IS NULL AND ended_at IS NULL AND expires_at > $3
          AND (source = 'operator') = ($5 = 'operator')
        RETURNING id";
    MAKE = "
        INSERT INTO asset_grant (id, asset, grantor_account, grantor_address, grantee, permissions, events, effective_at, expires_at, epoch,
                                 source, template, purpose, interaction_id, created_at, updated_at, sweep_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)";
    /// A grant lives in its asset's epoch only: a transfer has ended it, or waits until it is changed and ends it then.
    CHANGE = concat!("
        UPDATE asset_grant
        SET permissions = COALESCE($3, permissions), events = COALESCE($4, events), expires_at = COALESCE($5, expires_at),
            sweep_at = COALESCE($6, sweep_at), updated_at = $7
        WHERE id = $1 AND ended_at IS NULL AND expires_at > $7 AND (updated_at = $8 OR $8 IS NULL)
          AND ", theirs!("$2"), "
        RETURNING ", grant_columns!("asset_grant"));
    END_BY_OWNER = concat!("
        UPDATE asset_grant SET ended_at = $3, ended = 'owner', updated_at = $3, sweep_at = $4
        WHERE id = $1 AND ended_at IS NULL AND expires_at > $3
          AND ", theirs!("$2"));
    END_BY_GRANTEE = "
        UPDATE asset_grant SET ended_at = $3, ended = 'grantee', updated_at = $3, sweep_at = $4
        WHERE id = $1 AND grantee = $2 AND ended_at IS NULL AND expires_at > $3";
    END_BY_OPERATOR = "
        UPDATE asset_grant SET ended_at = $2, ended = 'operator', updated_at = $2, sweep_at = $3
        WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    /// Also what the operator granted in the account's place: who withdraws an app wants it gone.
    END_OF_APP = "
        UPDATE asset_grant SET ended_at = $3, ended = 'owner', updated_at = $3, sweep_at = $4
        WHERE grantor_account = $1 AND grantee = $2 AND ended_at IS NULL AND expires_at > $3
        RETURNING id";
    END_FOR_TRANSFER = "
        UPDATE asset_grant SET ended_at = $2, ended = 'transfer', updated_at = $2, sweep_at = $3
        WHERE asset = $1 AND ended_at IS NULL AND expires_at > $2
        RETURNING id";
}

impl Store {
    pub async fn grant(&self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        let row: Option<GrantRow> = read!(self, row(GRANT, id))?;
        Ok(row.map(Grant::from))
    }

    /// Makes grants, all of them or none, in one transaction that holds what they depend on: the asset in the epoch that was agreed to,
    /// owned by whoever grants, or their account. A transfer comes before, and then nothing is made, or after, and then it ends them.
    pub async fn create_grants(&self, granting: Granting, new: Vec<NewGrant>, now: Timestamp) -> Result<GrantOutcome, StoreError> {
        self.transaction(move |mut conn| Box::pin(async move { create(&mut conn, &granting, new, now).await })).await
    }

    /// Changes a grant in the name of whoever granted it; how it is then. `None`, and nothing changed: there is no such grant of theirs,
    /// or it has ended, or expired, or it is not as it was seen.
    pub async fn change_grant(
        &self,
        id: GrantId,
        owner: AccountId,
        by: Option<ClientId>,
        change: GrantChange,
        now: Timestamp,
    ) -> Result<Option<Grant>, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let GrantChange { permissions, events, expires_at, seen } = change;
                let kept = expires_at.map(|end| end.plus(KEPT));
                let row: Option<GrantRow> = on!(conn, row(CHANGE, id, owner, permissions, events.map(Json), expires_at, kept, now, seen))?;
                if row.is_some() {
                    let why = if by.is_some() { GrantSource::Api } else { GrantSource::Consent };
                    note(&mut conn, id, What::Changed, &Actor::Owner { account: owner, by }, why.as_str(), now).await?;
                }
                Ok(row.map(Grant::from))
            })
        })
        .await
    }

    /// Ends a grant before its time: of many who try at once, one does. False: there is no such grant, it is none of theirs, or it is over
    /// already.
    pub async fn end_grant(&self, id: GrantId, by: Actor, now: Timestamp) -> Result<bool, StoreError> {
        self.transaction(move |mut conn| {
            Box::pin(async move {
                let kept = now.plus(KEPT);
                let (ended, why) = match &by {
                    Actor::Owner { account, .. } => (on!(conn, execute(END_BY_OWNER, id, account, now, kept))?, GrantEnd::Owner),
                    Actor::Grantee(client) => (on!(conn, execute(END_BY_GRANTEE, id, client, now, kept))?, GrantEnd::Grantee),
                    Actor::Operator => (on!(conn, execute(END_BY_OPERATOR, id, now, kept))?, GrantEnd::Operator),
                };
                if ended > 0 {
                    note(&mut conn, id, What::Ended, &by, why.as_str(), now).await?;
                }
                Ok(ended > 0)
            })
        })
        .await
    }
}

/// Makes grants inside a transaction.
async fn create(conn: &mut Conn<'_>, granting: &Granting, new: Vec<NewGrant>, now: Timestamp) -> Result<GrantOutcome, StoreError> {
    match prepare(conn, granting, new, now).await? {
        GrantOutcome::Made(grants) => write(conn, granting, &grants, now).await.map(|()| GrantOutcome::Made(grants)),
        refused => Ok(refused),
    }
}

/// Looks at all that grants depend on, and holds it until the end of the transaction. Nothing is written, so that a refusal leaves nothing
/// behind; what comes out as made is what [`write`] is to write.
pub(super) async fn prepare(
    conn: &mut Conn<'_>,
    granting: &Granting,
    new: Vec<NewGrant>,
    now: Timestamp,
) -> Result<GrantOutcome, StoreError> {
    let owner = match &granting.by {
        Actor::Owner { account, .. } => Some(*account),
        Actor::Operator => None,
        Actor::Grantee(_) => return Ok(GrantOutcome::NotTheirs(None)),
    };
    if let Some(account) = owner
        && on!(*conn, execute(HOLD_ACCOUNT, account))? == 0
    {
        return Ok(GrantOutcome::NotTheirs(None));
    }
    // One order for all, so that two who grant at once never wait for each other.
    let mut order: Vec<&NewGrant> = new.iter().collect();
    order.sort_by_key(|grant| grant.asset);
    let mut grants = Vec::with_capacity(order.len());
    for grant in order {
        let Some(held) = hold(conn, grant, owner).await? else { return Ok(GrantOutcome::NotTheirs(grant.asset.map(|(did, _)| did))) };
        let grantee: Option<ClientId> = on!(*conn, value(GRANTEE, &grant.grantee))?;
        if grantee.is_none() {
            return Ok(GrantOutcome::NoGrantee(grant.grantee.clone()));
        }
        grants.push(begun(grant, granting.source, &held, now));
    }
    for grant in &grants {
        let alike = grants.iter().filter(|other| other.asset == grant.asset && other.grantee == grant.grantee).count();
        let stay = if granting.replaces { 0 } else { living(conn, grant, now).await? };
        if stay.saturating_add(i64::try_from(alike).unwrap_or(i64::MAX)) > MOST_LIVING_GRANTS {
            return Ok(GrantOutcome::TooMany(grant.asset));
        }
    }
    grants.sort_by_key(|grant| new.iter().position(|asked| asked.id == grant.id));
    Ok(GrantOutcome::Made(grants))
}

/// Writes grants that were prepared in this transaction.
pub(super) async fn write(conn: &mut Conn<'_>, granting: &Granting, grants: &[Grant], now: Timestamp) -> Result<(), StoreError> {
    if granting.replaces {
        for grant in grants {
            replace(conn, grant, &granting.by, now).await?;
        }
    }
    for grant in grants {
        insert(conn, grant, granting.visit, now).await?;
        note(conn, grant.id, What::Made, &granting.by, granting.source.as_str(), now).await?;
    }
    Ok(())
}

/// Ends all that an account granted to a client, inside the transaction that withdraws the app.
pub(super) async fn end_of_app(conn: &mut Conn<'_>, account: AccountId, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
    let ended: Vec<GrantId> = on!(*conn, values(END_OF_APP, account, client, now, now.plus(KEPT)))?;
    for grant in ended {
        note(conn, grant, What::Ended, &Actor::Owner { account, by: None }, GrantEnd::Owner.as_str(), now).await?;
    }
    Ok(())
}

/// Ends what was granted on an asset that has just changed hands, inside the transaction that did it.
pub(super) async fn end_for_transfer(conn: &mut Conn<'_>, did: &AssetDid, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
    let ended: Vec<GrantId> = on!(*conn, values(END_FOR_TRANSFER, did, now, now.plus(KEPT)))?;
    for grant in ended {
        note(conn, grant, What::Ended, by, GrantEnd::Transfer.as_str(), now).await?;
    }
    Ok(())
}

/// In whose name a grant is made.
#[derive(FromRow)]
struct Grantor {
    owner_address: Option<Address>,
    owner: Option<AccountId>,
}

async fn hold(conn: &mut Conn<'_>, grant: &NewGrant, owner: Option<AccountId>) -> Result<Option<Grantor>, StoreError> {
    match (grant.asset, owner) {
        (Some((did, epoch)), Some(account)) => on!(*conn, row(HOLD_OWNED, did, epoch, account)),
        (Some((did, epoch)), None) => on!(*conn, row(HOLD_ANY, did, epoch)),
        // The account itself is held already.
        (None, owner) => Ok(owner.map(|account| Grantor { owner_address: None, owner: Some(account) })),
    }
}

fn begun(new: &NewGrant, source: GrantSource, grantor: &Grantor, now: Timestamp) -> Grant {
    Grant {
        id: new.id,
        asset: new.asset.map(|(did, _)| did),
        grantor_account: grantor.owner,
        grantor_address: grantor.owner_address,
        grantee: new.grantee.clone(),
        permissions: new.permissions.clone(),
        events: new.events.clone(),
        effective_at: new.effective_at,
        expires_at: new.expires_at,
        epoch: new.asset.map(|(_, epoch)| epoch),
        source,
        template: new.template.clone(),
        purpose: new.purpose.clone(),
        created_at: now,
        updated_at: now,
        ended_at: None,
        ended: None,
    }
}

// How many grants there are beside which this one would stand.
async fn living(conn: &mut Conn<'_>, grant: &Grant, now: Timestamp) -> Result<i64, StoreError> {
    let living: Option<i64> = match grant.asset {
        Some(did) => on!(*conn, value(LIVING_ON, &grant.grantee, did, now, grant.source))?,
        None => on!(*conn, value(LIVING_OF, grant.grantor_account, &grant.grantee, now, grant.source))?,
    };
    Ok(living.unwrap_or(0))
}

async fn replace(conn: &mut Conn<'_>, grant: &Grant, by: &Actor, now: Timestamp) -> Result<(), StoreError> {
    let (kept, source) = (now.plus(KEPT), grant.source);
    let ended: Vec<GrantId> = match grant.asset {
        Some(did) => on!(*conn, values(REPLACE_ON, &grant.grantee, did, now, kept, source))?,
        None => on!(*conn, values(REPLACE_OF, grant.grantor_account, &grant.grantee, now, kept, source))?,
    };
    for id in ended {
        note(conn, id, What::Ended, by, GrantEnd::Replaced.as_str(), now).await?;
    }
    Ok(())
}

async fn insert(conn: &mut Conn<'_>, grant: &Grant, visit: Option<InteractionId>, now: Timestamp) -> Result<(), StoreError> {
    on!(
        *conn,
        execute(
            MAKE,
            grant.id,
            grant.asset,
            grant.grantor_account,
            grant.grantor_address,
            &grant.grantee,
            &grant.permissions,
            Json(&grant.events),
            grant.effective_at,
            grant.expires_at,
            grant.epoch,
            grant.source,
            &grant.template,
            &grant.purpose,
            visit,
            now,
            grant.expires_at.plus(KEPT)
        )
    )
    .map(drop)
}
