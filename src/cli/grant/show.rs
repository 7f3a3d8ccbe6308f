//! `latchkey grant show`.

use clap::Args;
use serde::Serialize;

use super::{View, known};
use crate::cli::desk::Desk;
use crate::cli::out::{Done, Said};
use crate::domain::{AccountId, ClientId, EventFilter, GrantId, PermissionSet};
use crate::store::GrantEvent;

/// Show a grant with its history: who did what, when and why
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The grant's id
    id: GrantId,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    grant: View<'a>,
    history: Vec<EventView<'a>>,
}

#[derive(Serialize)]
struct EventView<'a> {
    at: String,
    what: &'a str,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a ClientId>,
    why: &'a str,
    permissions: &'a PermissionSet,
    events: &'a [EventFilter],
    expires_at: String,
}

impl Show {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let grant = known(desk, self.id).await?;
        let history = desk.store.grant_history(self.id).await?;
        Said::json(&Shown { grant: View::from(&grant), history: history.iter().map(EventView::from).collect() })
    }
}

impl<'a> From<&'a GrantEvent> for EventView<'a> {
    fn from(event: &'a GrantEvent) -> Self {
        Self {
            at: event.at.rfc3339(),
            what: &event.what,
            actor: &event.actor,
            account: event.actor_account,
            client: event.actor_client.as_ref(),
            why: &event.why,
            permissions: &event.permissions,
            events: &event.events,
            expires_at: event.expires_at.rfc3339(),
        }
    }
}
