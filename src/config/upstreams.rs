//! Providers that the configuration file declares (`[[upstreams]]`): where people can prove who they are, besides here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use super::errors::{ConfigError, Source};
use super::issuer::is_loopback;
use super::table::{Given, Section, SectionTable, section};
use crate::domain::{Provider, Scope, Secret, UpstreamKind};
use crate::keys::ProviderKey;

section! {
    /// A provider at which people can prove who they are: Google, Apple, GitHub, or any other by OpenID Connect. Repeat the section for each one; `docs/upstreams.md` has each in a few lines.
    pub(super) upstreams: UpstreamRow {
        /// Its id: small letters, digits and hyphens. It is in its callback's address, `{server.issuer}/upstream/{id}/callback`, and in `provider_id`. People's identities are stored under it, so it stays.
        id: String;
        /// `google`, `apple`, `github`, or `oidc` for any provider of OpenID Connect.
        kind: UpstreamKind;
        /// What its button calls it.
        name: Option<String>, shown "Google, Apple or GitHub; must be given for oidc";
        /// What the provider calls this server; at Apple the Services ID.
        client_id: String;
        /// The secret that the provider gave. This or `client_secret_file` must be given, but not for `apple`.
        client_secret: Option<Secret>;
        /// A file that holds the secret.
        client_secret_file: Option<PathBuf>;
        /// For `apple`: the team's id, ten letters and digits.
        team_id: Option<String>;
        /// For `apple`: the id of the key, ten letters and digits.
        key_id: Option<String>;
        /// For `apple`: the file of the key (`AuthKey_….p8`), readable by the server's user alone (mode 0600).
        private_key_file: Option<PathBuf>;
        /// The provider's issuer, exactly as its discovery document has it; for `github`, the address of a GitHub Enterprise Server.
        issuer: Option<String>, shown "that of Google, Apple or GitHub; must be given for oidc";
        /// What is asked of the provider, with spaces between.
        scopes: Option<Scope>, shown "name and email address";
    }
}

pub(super) const UPSTREAMS: SectionTable = UpstreamRow::TABLE;

/// Words that are ways of this server itself.
const TAKEN: &[&str] = &["web3", "wallet", "passkey", "email", "password"];
/// The longest that is put on a button, in characters.
const LONGEST_NAME: usize = 60;

/// A provider of the configuration file.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Under which its people's identities are stored.
    pub id: Provider,
    pub kind: UpstreamKind,
    pub name: String,
    pub client_id: String,
    pub credential: UpstreamCredential,
    /// As the provider writes it.
    pub issuer: String,
    pub scopes: Scope,
}

/// How this server proves itself to a provider.
#[derive(Clone, Debug)]
pub enum UpstreamCredential {
    Secret(Secret),
    /// A JWT is signed in place of a secret.
    Key {
        team_id: String,
        key_id: String,
        key: Arc<ProviderKey>,
    },
}

impl Upstream {
    /// The path of ours to which its answers come.
    #[must_use]
    pub fn callback_path(&self) -> String {
        format!("/upstream/{}/callback", self.id.as_str())
    }
}

type Wrong = (&'static str, String);

/// Reads every entry; what is wrong goes to `problems`.
pub(super) fn read(entries: Vec<BTreeMap<String, Given>>, file: &Source, problems: &mut Vec<ConfigError>) -> Vec<Upstream> {
    let mut upstreams: Vec<Upstream> = Vec::new();
    for (place, given) in entries.into_iter().enumerate() {
        let path = format!("upstreams[{place}]");
        let mut unseen = Vec::new();
        let row = UpstreamRow::read(&mut Section { path: path.clone(), source: file.clone(), given, problems, effective: &mut unseen });
        let Some(row) = row else { continue };
        let mut tell = |(key, problem): Wrong| {
            problems.push(ConfigError { path: format!("{path}.{key}"), source: file.clone(), problem, expected: None });
        };
        if let Some(problem) = trouble_with_id(&row.id, &upstreams) {
            tell(("id", problem));
        }
        match (row.read_name(), row.read_issuer(), row.read_scopes(), row.read_credential()) {
            (Ok(name), Ok(issuer), Ok(scopes), Ok(credential)) => {
                let UpstreamRow { id, kind, client_id, .. } = row;
                upstreams.push(Upstream { id: Provider::new(id), kind, name, client_id, credential, issuer, scopes });
            }
            (name, issuer, scopes, credential) => {
                [name.err(), issuer.err(), scopes.err(), credential.err()].into_iter().flatten().for_each(tell);
            }
        }
    }
    upstreams
}

// It stands in a path, in tokens and in the database.
fn trouble_with_id(id: &str, others: &[Upstream]) -> Option<String> {
    let letters = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !letters || id.len() > 32 || !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some("must begin with a small letter and have at most 32 small letters, digits and hyphens".to_owned());
    }
    if TAKEN.contains(&id) {
        return Some(format!("{id} is a way of this server itself"));
    }
    others.iter().any(|other| other.id.as_str() == id).then(|| format!("{id} is declared twice"))
}

impl UpstreamRow {
    fn read_name(&self) -> Result<String, Wrong> {
        let name = match (&self.name, self.kind) {
            (Some(name), _) => name.trim(),
            (None, UpstreamKind::Google) => "Google",
            (None, UpstreamKind::Apple) => "Apple",
            (None, UpstreamKind::Github) => "GitHub",
            (None, UpstreamKind::Oidc) => return Err(("name", "is missing: people read it on the button".to_owned())),
        };
        if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(("name", format!("must have at most {LONGEST_NAME} characters, on one line")));
        }
        Ok(name.to_owned())
    }

    fn read_issuer(&self) -> Result<String, Wrong> {
        let text = match (&self.issuer, self.kind) {
            (Some(issuer), _) => issuer.as_str(),
            (None, UpstreamKind::Google) => "https://accounts.google.com",
            (None, UpstreamKind::Apple) => "https://appleid.apple.com",
            (None, UpstreamKind::Github) => "https://github.com",
            (None, UpstreamKind::Oidc) => return Err(("issuer", "is missing".to_owned())),
        };
        let wrong = |why: &str| Err(("issuer", format!("`{text}` {why}")));
        let Ok(url) = Url::parse(text) else { return wrong("is not an absolute URL") };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url.host().as_ref()) => {}
            _ => return wrong("is not https (http is for this machine alone)"),
        }
        // OpenID Connect Discovery §3: the issuer is a "URL using the https scheme with no query or fragment components".
        if !url.username().is_empty() || url.password().is_some() || text.contains(['?', '#']) || text.contains(char::is_whitespace) {
            return wrong("holds a user name, a query, a fragment or a space");
        }
        if self.kind == UpstreamKind::Github && url.path() != "/" {
            return wrong("has a path: name the server alone");
        }
        Ok(text.to_owned())
    }

    fn read_scopes(&self) -> Result<Scope, Wrong> {
        let usual: &[&str] = match self.kind {
            UpstreamKind::Google | UpstreamKind::Oidc => &["openid", "email", "profile"],
            UpstreamKind::Apple => &["openid", "email", "name"],
            // Without them GitHub tells of nothing but what is public.
            UpstreamKind::Github => &["read:user", "user:email"],
        };
        let Some(scopes) = &self.scopes else { return Ok(Scope::of(usual.iter().copied())) };
        // OpenID Connect Core §3.1.2.1: "OpenID Connect requests MUST contain the openid scope value."
        if matches!(self.kind, UpstreamKind::Google | UpstreamKind::Oidc) && !scopes.contains(Scope::OPENID) {
            return Err(("scopes", "lack openid, without which there is no ID token".to_owned()));
        }
        Ok(scopes.clone())
    }

    fn read_credential(&self) -> Result<UpstreamCredential, Wrong> {
        let of_apple =
            [("team_id", self.team_id.is_some()), ("key_id", self.key_id.is_some()), ("private_key_file", self.private_key_file.is_some())];
        if self.kind == UpstreamKind::Apple {
            for (key, given) in [("client_secret", self.client_secret.is_some()), ("client_secret_file", self.client_secret_file.is_some())]
            {
                if given {
                    return Err((key, "is not for apple: its secret is made from team_id, key_id and private_key_file".to_owned()));
                }
            }
            let (Some(team_id), Some(key_id), Some(file)) = (&self.team_id, &self.key_id, &self.private_key_file) else {
                let missing = of_apple.iter().find(|(_, given)| !given).map_or("team_id", |(key, _)| key);
                return Err((missing, "is missing".to_owned()));
            };
            let key = read_key(file).map_err(|problem| ("private_key_file", problem))?;
            return Ok(UpstreamCredential::Key { team_id: team_id.clone(), key_id: key_id.clone(), key: Arc::new(key) });
        }
        if let Some((key, _)) = of_apple.into_iter().find(|(_, given)| *given) {
            return Err((key, "is for apple alone".to_owned()));
        }
        match (&self.client_secret, &self.client_secret_file) {
            (Some(secret), None) => Ok(UpstreamCredential::Secret(secret.clone())),
            (None, Some(path)) => {
                let unreadable = |problem| ("client_secret_file", format!("{} cannot be read: {problem}", path.display()));
                let text = Zeroizing::new(std::fs::read_to_string(path).map_err(unreadable)?);
                match text.trim_end_matches(['\r', '\n']) {
                    "" => Err(("client_secret_file", format!("{} is empty", path.display()))),
                    secret => Ok(UpstreamCredential::Secret(Secret::new(secret))),
                }
            }
            (None, None) => Err(("client_secret", "is missing; give client_secret or client_secret_file".to_owned())),
            (Some(_), Some(_)) => Err(("client_secret", "only one of client_secret and client_secret_file can be given".to_owned())),
        }
    }
}

// A private key is its owner's alone.
fn read_key(path: &Path) -> Result<ProviderKey, String> {
    let shown = path.display();
    let failed = |problem: std::io::Error| format!("{shown} cannot be read: {problem}");
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!("{shown} can be used by others than its owner (mode {mode:04o}): run `chmod 600 {shown}`"));
    }
    let mut pem = Zeroizing::new(String::new());
    file.take(16 * 1024).read_to_string(&mut pem).map_err(failed)?;
    ProviderKey::from_pem(&pem).map_err(|_| format!("{shown} holds no private key of Apple's: it begins with -----BEGIN PRIVATE KEY-----"))
}

#[cfg(test)]
mod tests;
