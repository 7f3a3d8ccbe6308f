//! `latchkey grant create`.

use clap::Args;

use super::View;
use crate::cli::desk::Desk;
use crate::cli::options::{known_permissions, moment};
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{AssetDid, ClientId, EventFilter, GrantId, GrantSource, Permission, Timestamp};
use crate::policy::grants::{Terms, Wish, check_wish};
use crate::store::{Actor, GrantOutcome, Granting, NewGrant};

/// Grant an app permissions on an asset, in its owner's place; the history says that the operator did it
///
/// It adds to what the app has already. It ends with `latchkey grant revoke`, when it expires, when its owner or the app ends it, and when
/// the asset changes hands.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey grant create --asset did:erc721:137:0xbA57…:7 --grantee 0x… --permission privilege:GetLiveData
  latchkey grant create --asset did:erc721:137:0xbA57…:7 --grantee my-app --expires 2027-12-31T23:59:59Z \\
      --permission privilege:GetLiveData privilege:GetVINCredential --events '{\"event_type\":\"dimo.attestation\"}'")]
pub(in crate::cli) struct Create {
    /// The asset's DID
    #[arg(long, value_name = "DID")]
    asset: AssetDid,
    /// The client or license that gets it
    #[arg(long, value_name = "ID")]
    grantee: ClientId,
    /// A permission of the vocabulary; one or more
    #[arg(long = "permission", value_name = "NAME", num_args = 1..)]
    permissions: Vec<Permission>,
    /// A filter of events, as JSON: `event_type`, `source`, `ids`, `tags`, where what is missing means all; one or more
    #[arg(long = "events", value_name = "JSON", num_args = 1.., value_parser = filter)]
    events: Vec<EventFilter>,
    /// When it expires (RFC 3339) [default: as late as the setting `assets.longest_grant` lets it]
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    expires: Option<Timestamp>,
    /// What it is for, in a sentence that the owner can read
    #[arg(long, value_parser = purpose)]
    purpose: Option<String>,
}

impl Create {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let (now, longest) = (desk.now(), desk.config.assets.longest_grant);
        let expires_at = self.expires.unwrap_or_else(|| now.plus(longest));
        let permissions = known_permissions(self.permissions, desk)?;
        let wish = Wish { permissions: &permissions, events: &self.events, effective_at: now, expires_at };
        let terms = Terms { known: desk.config.vocabulary.known(self.asset.method()), longest };
        check_wish(&wish, &terms, now).map_err(|problem| Failure(problem.to_string()))?;
        let unknown = || Failure(format!("there is no asset {}", self.asset));
        let standing = desk.store.asset_standing(&self.asset).await?.ok_or_else(unknown)?;
        let new = NewGrant {
            id: GrantId(desk.entropy.uuid(now)),
            asset: Some((self.asset, standing.epoch)),
            grantee: self.grantee,
            permissions,
            events: self.events,
            effective_at: now,
            expires_at,
            template: None,
            purpose: self.purpose,
        };
        let granting = Granting { by: Actor::Operator, source: GrantSource::Operator, visit: None, replaces: false };
        let refused = match desk.store.create_grants(granting, vec![new], now).await? {
            GrantOutcome::Made(grants) => {
                let views = grants.first().map(View::from).ok_or_else(|| Failure("no grant was made".to_owned()))?;
                return Ok(Said::json(&views)?.words("the grant is made, in the owner's place"));
            }
            GrantOutcome::NotTheirs(_) => format!("{} changed hands at this very moment: try again", self.asset),
            GrantOutcome::NoGrantee(client) => format!("there is no client or license {client}, or it is disabled"),
            GrantOutcome::TooMany(_) => "this client has as many grants on this asset as there may be: revoke some".to_owned(),
        };
        Err(Failure(refused))
    }
}

fn filter(text: &str) -> Result<EventFilter, String> {
    serde_json::from_str(text).map_err(|problem| problem.to_string())
}

fn purpose(text: &str) -> Result<String, String> {
    let fits = (1..=300).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("a purpose has 1 to 300 characters, and no control characters".to_owned()) }
}
