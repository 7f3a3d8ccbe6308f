//! What a client may have of assets, whatever owners grant: options of every kind of client, for the operator alone.

use std::str::FromStr;

use clap::Args;

use super::desk::Desk;
use super::options::known_permissions;
use super::out::Failure;
use crate::config::check_audience;
use crate::domain::{Permission, PermissionError};
use crate::store::ClientRecord;

#[derive(Debug, Args)]
pub(super) struct AssetLimits {
    /// An audience that its asset tokens may have: replaces all that were there; repeat it for several; `server`: those of the server
    #[arg(long = "audience", value_name = "AUDIENCE|server", value_parser = audience)]
    audiences: Vec<String>,
    /// A permission that it may be given at most, whatever owners grant: replaces all that were there; repeat it for several; `any`: all
    #[arg(long = "permission-limit", value_name = "PERMISSION|any")]
    permissions: Vec<Limit>,
    /// Whether it is a part of this house: it acts with all that its user has as an owner, on the user's own assets
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    first_party: Option<bool>,
}

impl AssetLimits {
    /// Whether nothing was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.audiences.is_empty() && self.permissions.is_empty() && self.first_party.is_none()
    }

    /// Writes what was asked for into a record.
    pub(super) fn apply(&self, record: &mut ClientRecord, desk: &Desk) -> Result<(), Failure> {
        let metadata = &mut record.metadata;
        if !self.audiences.is_empty() {
            metadata.audiences = (!self.audiences.iter().any(|audience| audience == SERVER)).then(|| self.audiences.clone());
        }
        if !self.permissions.is_empty() {
            // `any` beside others is none of them.
            let limit: Option<Vec<Permission>> = self.permissions.iter().map(|limit| limit.0.clone()).collect();
            metadata.permissions = limit.map(|names| known_permissions(names, desk)).transpose()?;
        }
        metadata.first_party = self.first_party.unwrap_or(metadata.first_party);
        Ok(())
    }
}

const SERVER: &str = "server";

/// A permission, or `any`.
#[derive(Clone, Debug)]
struct Limit(Option<Permission>);

impl FromStr for Limit {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, PermissionError> {
        if text == "any" { Ok(Self(None)) } else { text.parse().map(|permission| Self(Some(permission))) }
    }
}

fn audience(text: &str) -> Result<String, String> {
    check_audience(text).map(|()| text.to_owned())
}
