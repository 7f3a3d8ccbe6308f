//! What an app is told of what was granted (RFC 9396 §7, §9.2): the grants as they are now, one detail for each.

use serde::Serialize;
use serde_json::Value;

use crate::domain::{Grant, GrantId, Timestamp};
use crate::protocol::authorization_details::{AssetAccess, Assets};

/// One grant, as an authorization detail.
#[derive(Clone, Debug, Serialize)]
pub struct GrantedAccess {
    #[serde(flatten)]
    access: AssetAccess,
    grant_id: GrantId,
    /// Seconds since 1970.
    expires_at: i64,
}

impl From<&Grant> for GrantedAccess {
    fn from(grant: &Grant) -> Self {
        let assets = grant.asset.map_or(Assets::All, |did| Assets::These(vec![did]));
        Self {
            access: AssetAccess::to(assets, grant.permissions.clone(), grant.events.clone()),
            grant_id: grant.id,
            expires_at: grant.expires_at.seconds(),
        }
    }
}

/// What the record of a code keeps: the ids of the grants, where the request asked for any. What they give is looked up when it is told.
#[must_use]
pub fn to_stored(details: &[AssetAccess], grants: &[GrantId]) -> Option<Value> {
    (!details.is_empty()).then(|| grants.iter().map(ToString::to_string).collect())
}

/// What of a record's grants still lives. `living` are those of the person to the client.
#[must_use]
pub fn of_living(stored: &Value, living: &[Grant], now: Timestamp) -> Vec<GrantedAccess> {
    let ids: Vec<&str> = stored.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let recorded = |grant: &&Grant| grant.is_living(now) && ids.contains(&grant.id.to_string().as_str());
    living.iter().filter(recorded).map(GrantedAccess::from).collect()
}
