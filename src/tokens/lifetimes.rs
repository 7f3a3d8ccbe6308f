//! How long tokens, and what is kept of them, live.

use std::time::Duration;

use crate::domain::{RefreshToken, Timestamp};
use crate::policy::refresh::Binding;
use crate::state::State;
use crate::store::{ClientRecord, NewFamily};

/// How long a license's own token lives.
#[must_use]
pub fn developer_lifetime(state: &State, client: &ClientRecord) -> Duration {
    client.license.as_ref().map_or(state.config.tokens.developer_token, |license| license.developer_token)
}

/// How long the record of a person's tokens must be kept: as long as the longest of them lives.
#[must_use]
pub fn longest_lifetime(state: &State, client: &ClientRecord) -> Duration {
    client.access_token.max(state.config.tokens.id_token)
}

/// Until when a refresh token lives that is used now, and its row with it.
#[derive(Clone, Copy, Debug)]
pub struct RefreshLifetimes {
    pub idle: Timestamp,
    /// Of a family that begins now.
    pub absolute: Timestamp,
    /// The end of the last access token that it may give by then.
    pub kept_at_least: Timestamp,
    /// A day more: the index over it changes once a day and not with each use.
    pub kept_until: Timestamp,
}

#[must_use]
pub fn refresh_lifetimes(state: &State, client: &ClientRecord, now: Timestamp) -> RefreshLifetimes {
    let idle = now.plus(state.config.tokens.refresh_idle);
    let kept_at_least = idle.plus(client.access_token);
    RefreshLifetimes {
        idle,
        absolute: now.plus(state.config.tokens.refresh_lifetime),
        kept_at_least,
        kept_until: kept_at_least.plus(Duration::from_hours(24)),
    }
}

impl RefreshLifetimes {
    /// The family that begins with this token.
    #[must_use]
    pub fn family(self, token: &RefreshToken, binding: Binding) -> NewFamily {
        NewFamily {
            id: token.family(),
            current: token.hash(),
            session_id: match binding {
                Binding::Offline => None,
                Binding::Session(id) => Some(id),
            },
            idle_expires_at: self.idle.min(self.absolute),
            expires_at: self.absolute,
            kept_until: self.kept_until,
        }
    }
}

/// A session that nobody has used since is over, and what is bound to it.
#[must_use]
pub fn sessions_seen_since(state: &State, now: Timestamp) -> Timestamp {
    now.minus(state.config.session.idle)
}
