//! `latchkey client update`.

use std::collections::BTreeSet;

use clap::Args;

use super::View;
use super::registration::Registration;
use crate::cli::desk::{Desk, unknown};
use crate::cli::options::{ChosenSecret, ClientSettings, LogoutUri, each_once, logout_uri_or_off, name};
use crate::cli::out::{Done, Failure, Said};
use crate::config::{check_client, check_logout_uri_here};
use crate::domain::{AuthMethod, ClientId, ClientKind, Held, RedirectUri, Secret};
use crate::store::UriPurpose;

/// Change an app's settings; what is not named stays as it is
///
/// An app that registered itself cannot change by itself what was named here, until --release.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey client update ID --name 'A better name' --access-token-lifetime 10m
  latchkey client update ID --redirect-uri https://app.example/cb --redirect-uri https://app.example/cb2
  latchkey client update ID --new-secret
  latchkey client update ID --jwks-uri https://app.example/jwks.json")]
pub(in crate::cli) struct Update {
    /// The client id
    id: ClientId,
    /// The name that people see when they sign in
    #[arg(long, value_parser = name)]
    name: Option<String>,
    #[command(flatten)]
    secret: ChosenSecret,
    /// Generate a new secret and print it once; the old one stops working
    #[arg(long, group = "credential")]
    new_secret: bool,
    /// Where people are sent back to: replaces all that were there; repeat it for several
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<RedirectUri>,
    /// Where people may be sent after signing out: replaces all that were there; repeat it for several
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout); `off`: nowhere
    #[arg(long, value_name = "URI|off", value_parser = logout_uri_or_off)]
    backchannel_logout_uri: Option<LogoutUri>,
    /// Lets an app that registered itself change again what commands have set
    #[arg(long)]
    release: bool,
    #[command(flatten)]
    registration: Registration,
    #[command(flatten)]
    settings: ClientSettings,
}

impl Update {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let mut record = desk.changeable_client(&self.id, ClientKind::Oauth).await?;
        let named = self.parts();
        let chosen = self.secret.take()?;
        let generated = self.new_secret.then(|| desk.entropy.secret());
        let secret = chosen.as_ref().or(generated.as_ref());
        if named.is_empty() && self.settings.is_empty() && !self.release {
            return Err(Failure("nothing to change: name an option, such as --name (see `latchkey client update --help`)".to_owned()));
        }
        if self.release && !record.is_self_made() {
            return Err(Failure(format!("{} did not register itself: nothing of it is held", record.id)));
        }
        let public = record.auth_method == AuthMethod::None;
        if public && secret.is_some() {
            return Err(Failure(format!("{} is a public client: it has no secret", record.id)));
        }
        if public && self.registration.has_keys() {
            return Err(Failure(format!("{} is a public client: it has no keys", record.id)));
        }
        record.name = self.name.unwrap_or(record.name);
        record.secret_hash = secret.map(Secret::hash).or(record.secret_hash);
        let mut uris = Vec::new();
        if !self.redirect_uris.is_empty() {
            record.redirect_uris = each_once(self.redirect_uris);
            uris.push(UriPurpose::Redirect);
        }
        if !self.post_logout_redirect_uris.is_empty() {
            record.post_logout_redirect_uris = each_once(self.post_logout_redirect_uris);
            uris.push(UriPurpose::PostLogout);
        }
        if let Some(LogoutUri(uri)) = self.backchannel_logout_uri {
            if let Some(uri) = &uri {
                check_logout_uri_here(uri, &desk.config.egress)
                    .map_err(|problem| Failure(format!("--backchannel-logout-uri: {problem}")))?;
            }
            record.backchannel_logout_uri = uri;
        }
        self.registration.apply(&mut record, desk)?;
        self.settings.apply(&mut record, desk)?;
        if record.is_self_made() {
            let before = if self.release { BTreeSet::new() } else { record.operator.held };
            record.operator.held = before.union(&named).copied().collect();
            // Somebody has a use for it.
            record.unused_until = None;
        }
        record.updated_at = desk.now();
        if let Some((_, problem)) = check_client(&record).into_iter().next() {
            return Err(Failure(problem));
        }
        if !desk.store.update_client(&record, &uris).await? {
            return Err(unknown(record.kind, &record.id));
        }
        // As it is now: what was not named may have been changed by others meanwhile.
        let record = desk.client(&record.id, record.kind).await?;
        let words = if generated.is_some() { "the client is changed; its new secret is shown this once" } else { "the client is changed" };
        Ok(Said::json(&View::of(&record).with_secret(generated.as_ref()))?.words(words))
    }

    // The parts of the client that were named.
    fn parts(&self) -> BTreeSet<Held> {
        [
            self.name.as_ref().map(|_| Held::ClientName),
            (self.new_secret || self.secret.is_given()).then_some(Held::TokenEndpointAuthMethod),
            (!self.redirect_uris.is_empty()).then_some(Held::RedirectUris),
            (!self.post_logout_redirect_uris.is_empty()).then_some(Held::PostLogoutRedirectUris),
            self.backchannel_logout_uri.as_ref().map(|_| Held::BackchannelLogoutUri),
        ]
        .into_iter()
        .flatten()
        .chain(self.registration.parts())
        .chain(self.settings.parts())
        .collect()
    }
}
