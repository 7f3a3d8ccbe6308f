//! All that an exchange must know, in one read: whether the token that is exchanged still holds and whose client it is, the asset, who owns
//! it, and what was granted to that client.
//!
//! The statement is the same whether there is such an asset or not, and it reads as much of a store with a million grants as of one with a
//! thousand: each part finds its rows by an index. A further kind of record is a variant of [`Bearer`] and one line of the texts.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use uuid::Uuid;

use super::assets::owner;
use super::challenges::wallet_token_holds;
use super::developer_tokens::developer_token_holds;
use super::dialect::{read, sql};
use super::families::lives;
use super::grant_rows::{GrantRow, grant_columns};
use super::persons::person_token_holds;
use super::revocations::client_token_holds;
use super::{Store, StoreError};
use crate::domain::{
    AccountId, Address, AssetDid, ChallengeId, ClientId, ClientKind, ClientMetadata, CodeId, FamilyId, Grant, GrantId, Standing, Timestamp,
};

/// By what a client asks.
#[derive(Clone, Debug)]
pub enum Bearer {
    /// A person's token that a code gave.
    Code(CodeId),
    /// A person's token that a signature of their wallet gave, without a browser.
    Wallet(ChallengeId),
    /// A person's token that a refresh gave; it is dead with a session that was last seen before `seen_since`.
    Refresh { family: FamilyId, token: Uuid, seen_since: Timestamp },
    /// A license's own token.
    Developer(Uuid),
    /// A client's own token.
    Client { client: ClientId, token: Uuid, issued_at: Timestamp },
    /// No token: the client as such, where somebody else asks what it may.
    Named(ClientId),
}

/// What a decision about access to an asset is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangeFacts {
    pub client: ClientId,
    pub kind: ClientKind,
    pub metadata: ClientMetadata,
    /// The person whose token it is.
    pub account: Option<AccountId>,
    /// `None`: there is no such asset.
    pub asset: Option<Standing>,
    /// What the client was granted on this asset, and on all assets of its owner: all that lives, and of what does not the latest. Nothing
    /// where the owner's account is disabled.
    pub grants: Vec<Grant>,
}

/// The facts about the client that `$record` finds, and the asset `$1`.
macro_rules! facts {
    ($record:expr) => {
        concat!(
            "
        WITH record AS MATERIALIZED (",
            $record,
            "),
        thing AS MATERIALIZED (
            SELECT did, epoch, owner_address, owner_account,
                   COALESCE(owner_account, (SELECT i.account_id FROM identity i
                                            WHERE i.provider = 'web3' AND i.subject = asset.owner_address)) AS owner
            FROM asset
            WHERE did = $1),
        near AS (
            SELECT one.* FROM (
                SELECT ",
            grant_columns!("g"),
            "
                FROM asset_grant g
                WHERE g.grantee = (SELECT client_id FROM record) AND g.asset = $1 AND g.ended_at IS NULL
                ORDER BY g.expires_at DESC LIMIT 64) one
            UNION ALL
            SELECT ended.* FROM (
                SELECT ",
            grant_columns!("g"),
            "
                FROM asset_grant g
                WHERE g.grantee = (SELECT client_id FROM record) AND g.asset = $1 AND g.ended_at IS NOT NULL
                ORDER BY g.ended_at DESC LIMIT 1) ended
            UNION ALL
            SELECT every.* FROM (
                SELECT ",
            grant_columns!("g"),
            "
                FROM asset_grant g
                WHERE g.grantee = (SELECT client_id FROM record) AND g.grantor_account = (SELECT owner FROM thing) AND g.asset IS NULL AND g.ended_at IS NULL
                ORDER BY g.expires_at DESC LIMIT 64) every
            UNION ALL
            SELECT every_ended.* FROM (
                SELECT ",
            grant_columns!("g"),
            "
                FROM asset_grant g
                WHERE g.grantee = (SELECT client_id FROM record) AND g.grantor_account = (SELECT owner FROM thing) AND g.asset IS NULL AND g.ended_at IS NOT NULL
                ORDER BY g.ended_at DESC LIMIT 1) every_ended)
        SELECT record.client_id, record.kind, record.metadata, record.account_id,
               thing.did, thing.epoch AS asset_epoch, thing.owner_address, thing.owner_account, thing.owner,
               (SELECT a.disabled_at FROM account a WHERE a.id = thing.owner) IS NOT NULL AS owner_disabled,
               ",
            grant_columns!("near"),
            "
        FROM record LEFT JOIN thing ON 1 = 1 LEFT JOIN near ON 1 = 1"
        )
    };
}

sql! {
    BY_CODE = facts!(concat!("
            SELECT t.client_id, c.kind, c.metadata, t.account_id
            FROM authorization_code t
            JOIN account a ON a.id = t.account_id
            JOIN client c ON c.id = t.client_id
            WHERE t.id = $2 AND ", person_token_holds!("$3")));
    BY_WALLET = facts!(concat!("
            SELECT t.client_id, c.kind, c.metadata, t.account_id
            FROM api_challenge t
            JOIN account a ON a.id = t.account_id
            JOIN client c ON c.id = t.client_id
            WHERE t.id = $2 AND ", wallet_token_holds!("$3")));
    BY_REFRESH = facts!(concat!("
            SELECT refresh_token.client_id, app.kind, app.metadata, refresh_token.account_id
            FROM refresh_token
            JOIN client app ON app.id = refresh_token.client_id
            WHERE refresh_token.id = $2 AND NOT EXISTS (SELECT 1 FROM token_revocation v WHERE v.token_id = $3)
              AND ", lives!("$4", "$5")));
    BY_DEVELOPER = facts!(concat!("
            SELECT t.client_id, c.kind, c.metadata, NULL AS account_id
            FROM developer_token t
            JOIN license_key k ON k.client_id = t.client_id AND k.address = t.key_address
            JOIN client c ON c.id = t.client_id
            WHERE t.id = $2 AND ", developer_token_holds!("$3")));
    BY_CLIENT = facts!(concat!("
            SELECT c.id AS client_id, c.kind, c.metadata, NULL AS account_id
            FROM client c
            WHERE c.id = $2 AND ", client_token_holds!("$3", "$4")));
    BY_NAME = facts!("
            SELECT c.id AS client_id, c.kind, c.metadata, NULL AS account_id
            FROM client c
            WHERE c.id = $2 AND c.disabled_at IS NULL");
}

impl Store {
    /// `None`: the token does not hold (its record is gone or revoked, its key, client or account disabled, its consent withdrawn), or there
    /// is no such client.
    pub async fn exchange_facts(&self, bearer: &Bearer, asset: &AssetDid, now: Timestamp) -> Result<Option<ExchangeFacts>, StoreError> {
        let rows: Vec<Fact> = match bearer {
            Bearer::Code(id) => read!(self, rows(BY_CODE, asset, id, now)),
            Bearer::Wallet(id) => read!(self, rows(BY_WALLET, asset, id, now)),
            Bearer::Refresh { family, token, seen_since } => read!(self, rows(BY_REFRESH, asset, family, token, now, seen_since)),
            Bearer::Developer(id) => read!(self, rows(BY_DEVELOPER, asset, id, now)),
            Bearer::Client { client, token, issued_at } => read!(self, rows(BY_CLIENT, asset, client, issued_at, token)),
            Bearer::Named(client) => read!(self, rows(BY_NAME, asset, client)),
        }?;
        Ok(facts(rows))
    }
}

#[derive(FromRow)]
struct Fact {
    client_id: ClientId,
    kind: ClientKind,
    #[sqlx(json)]
    metadata: ClientMetadata,
    account_id: Option<AccountId>,
    did: Option<AssetDid>,
    asset_epoch: Option<i64>,
    owner_address: Option<Address>,
    owner_account: Option<AccountId>,
    owner: Option<AccountId>,
    owner_disabled: bool,
    #[sqlx(flatten)]
    near: Near,
}

/// A grant where there is one.
struct Near(Option<GrantRow>);

impl<'r, R: Row> FromRow<'r, R> for Near
where
    GrantRow: FromRow<'r, R>,
    Option<GrantId>: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let id: Option<GrantId> = row.try_get("id")?;
        Ok(Self(id.map(|_| GrantRow::from_row(row)).transpose()?))
    }
}

// Each row says the same of the client and of the asset.
fn facts(rows: Vec<Fact>) -> Option<ExchangeFacts> {
    let mut rows = rows.into_iter();
    let first = rows.next()?;
    let disabled = first.owner_disabled;
    let asset = first.did.zip(first.asset_epoch).map(|(did, epoch)| Standing {
        did,
        owner: owner(first.owner_address, first.owner_account),
        owner_account: first.owner,
        epoch,
    });
    let near = std::iter::once(first.near).chain(rows.map(|row| row.near));
    Some(ExchangeFacts {
        client: first.client_id,
        kind: first.kind,
        metadata: first.metadata,
        account: first.account_id,
        asset,
        grants: near.filter_map(|near| near.0).filter(|_| !disabled).map(Grant::from).collect(),
    })
}
