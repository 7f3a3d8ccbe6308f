//! `latchkey client create`.

use clap::Args;

use super::View;
use super::registration::Registration;
use crate::cli::desk::Desk;
use crate::cli::options::{ChosenSecret, ClientSettings, each_once, logout_uri, name};
use crate::cli::out::{Done, Failure, Said};
use crate::config::{check_client, check_logout_uri_here};
use crate::domain::{ClientId, RedirectUri};
use crate::store::ClientRecord;

/// Register an app
///
/// Without --secret, --secret-stdin, --jwks-file, --jwks-uri or --public, a secret is generated and printed once, in the JSON: only its
/// hash is kept.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey client create --name 'My app' --redirect-uri https://app.example/callback
  latchkey client create --name 'My phone app' --public --redirect-uri com.example.app:/callback
  latchkey client create --name Legacy --id legacy --secret-stdin --pkce optional \\
      --redirect-uri https://legacy.example/cb < secret.txt
  latchkey client create --name 'My television app' --public \\
      --grant-type urn:ietf:params:oauth:grant-type:device_code refresh_token
  latchkey client create --name 'Night job' --grant-type client_credentials --scope 'reports.read' --jwks-file keys.json")]
pub(in crate::cli) struct Create {
    /// The name that people see when they sign in
    #[arg(long, value_parser = name)]
    name: String,
    #[command(flatten)]
    secret: ChosenSecret,
    /// A public client, such as a phone or browser app: it has no secret, and always uses PKCE
    #[arg(long, group = "credential")]
    public: bool,
    /// The client id [default: a random one]
    #[arg(long)]
    id: Option<ClientId>,
    /// Where people are sent back to, compared byte for byte; one or more, unless it never signs people in
    #[arg(long = "redirect-uri", value_name = "URI", num_args = 1..)]
    redirect_uris: Vec<RedirectUri>,
    /// Where people may be sent after signing out; one or more
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", num_args = 1..)]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout)
    #[arg(long, value_name = "URI", value_parser = logout_uri)]
    backchannel_logout_uri: Option<String>,
    #[command(flatten)]
    registration: Registration,
    #[command(flatten)]
    settings: ClientSettings,
}

impl Create {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let now = desk.now();
        let id = match self.id {
            Some(id) => id,
            None => desk.entropy.uuid(now).to_string().parse().map_err(|problem| Failure(format!("{problem}")))?,
        };
        let chosen = self.secret.take()?;
        let generated = (chosen.is_none() && !self.public && !self.registration.has_keys()).then(|| desk.entropy.secret());
        let secret_hash = chosen.as_ref().or(generated.as_ref()).map(crate::domain::Secret::hash);
        let mut record = ClientRecord {
            secret_hash,
            redirect_uris: each_once(self.redirect_uris),
            post_logout_redirect_uris: each_once(self.post_logout_redirect_uris),
            backchannel_logout_uri: self.backchannel_logout_uri,
            ..ClientRecord::new(id, self.name, desk.config.tokens.access_token, now)
        };
        self.registration.apply(&mut record, desk)?;
        self.settings.apply(&mut record, desk)?;
        if let Some(uri) = &record.backchannel_logout_uri {
            check_logout_uri_here(uri, &desk.config.egress).map_err(|problem| Failure(format!("--backchannel-logout-uri: {problem}")))?;
        }
        if let Some((_, problem)) = check_client(&record).into_iter().next() {
            return Err(Failure(problem));
        }
        desk.store.create_client(&record).await?;
        let words = match &generated {
            Some(_) => "the client is registered; its secret is shown this once, and only its hash is kept",
            None => "the client is registered",
        };
        Ok(Said::json(&View::of(&record).with_secret(generated.as_ref()))?.words(words))
    }
}
