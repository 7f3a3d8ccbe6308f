//! Assets: things that somebody owns and of which the owner shares something, such as a vehicle and its data.

use serde_json::{Map, Value};

use super::{AccountId, Address, AssetDid, Timestamp};

/// Who has an asset: a wallet, or an account that has none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    Address(Address),
    Account(AccountId),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    pub did: AssetDid,
    /// `None`: it was imported with a claim code, and nobody has claimed it yet.
    pub owner: Option<Owner>,
    /// Rises with each change of owner. A grant on this asset counts in the epoch in which it was given, and in no other.
    pub epoch: i64,
    pub make: Option<String>,
    pub model: Option<String>,
    pub year: Option<i64>,
    pub powertrain: Option<String>,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What else is known of it; nothing here is looked into.
    pub attributes: Map<String, Value>,
    pub minted_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whose an asset is at this moment: what decisions about it need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub did: AssetDid,
    pub owner: Option<Owner>,
    /// The account that owns it: itself, or by a wallet that is one of its identities.
    pub owner_account: Option<AccountId>,
    pub epoch: i64,
}
