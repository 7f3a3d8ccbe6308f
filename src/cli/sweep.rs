//! `latchkey sweep`.

use clap::Args;
use serde_json::json;

use super::desk::Desk;
use super::out::{Done, Said};

/// Delete what has expired: sessions, challenges, codes, tokens, retired keys, apps that registered themselves and were never used
///
/// A running server does it by itself every minute or so.
#[derive(Debug, Args)]
pub(super) struct Sweep {}

impl Sweep {
    pub(super) async fn run(self, desk: &Desk) -> Done {
        let swept = desk.store.sweep(desk.now()).await?;
        let counts = json!({
            "sessions": swept.sessions,
            "interactions": swept.interactions,
            "posted_forms": swept.posted_forms,
            "signin_challenges": swept.signin_challenges,
            "upstream_visits": swept.upstream_visits,
            "api_challenges": swept.api_challenges,
            "codes": swept.codes,
            "developer_tokens": swept.developer_tokens,
            "signing_keys": swept.signing_keys,
            "clients": swept.clients,
            "asset_claims": swept.asset_claims,
            "grants": swept.grants,
        });
        Ok(Said::json(&counts)?.words(format!("{} rows swept away", swept.total())))
    }
}
