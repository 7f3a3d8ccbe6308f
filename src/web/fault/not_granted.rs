//! Why an app gets nothing of an asset: in words, and in members that it can read.

use serde::Serialize;

use crate::domain::{AssetDid, ClientId, EventFilter, PermissionSet};
use crate::policy::grants::{Reason, Refused};
use crate::protocol::error::ErrorCode;

/// An app gets nothing of an asset, or not all that it wants. It learns of its own grants alone, and nothing of whether there is such an asset.
#[derive(Debug)]
pub struct NotGranted {
    pub client: ClientId,
    pub asset: AssetDid,
    pub refused: Refused,
}

/// What stands beside the error.
#[derive(Debug, Serialize)]
pub(super) struct Why<'a> {
    reason: &'static str,
    missing: &'a PermissionSet,
    granted: &'a PermissionSet,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing_events: &'a [EventFilter],
}

impl NotGranted {
    // The words of the wire contract for permissions; the events in the same way.
    pub(super) fn words(&self) -> String {
        let who = if self.client.as_address().is_some() { "Address" } else { "Client" };
        let (missing, events) = (&self.refused.missing, &self.refused.missing_events);
        let types: Vec<&str> = events.iter().map(EventFilter::event_type).collect();
        let lacking = match (missing.is_empty(), types.is_empty()) {
            (_, true) => format!("permissions [{}]", missing.names().join(", ")),
            (true, false) => format!("events [{}]", types.join(", ")),
            (false, false) => format!("permissions [{}] and events [{}]", missing.names().join(", "), types.join(", ")),
        };
        format!("{who} {} lacks {lacking} for asset {}", self.client, self.asset)
    }

    pub(super) fn why(&self) -> Why<'_> {
        let Refused { reason, missing, missing_events, granted } = &self.refused;
        Why { reason: reason.as_str(), missing, granted, missing_events }
    }

    /// At `/token`.
    // RFC 8693 §2.2.2: "If the authorization server is unwilling or unable to issue a token for any target service indicated by the "resource"
    // or "audience" parameters, the "invalid_target" error code SHOULD be used".
    pub(super) const fn code(&self) -> ErrorCode {
        match self.refused.reason {
            Reason::MissingPermissions => ErrorCode::InvalidScope,
            Reason::NotShared | Reason::Expired | Reason::Revoked | Reason::OwnerChanged => ErrorCode::InvalidTarget,
        }
    }
}
