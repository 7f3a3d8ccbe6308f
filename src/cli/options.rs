//! Options that several commands share, and how their texts are read.

use std::io::{self, BufRead};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::asset_limits::AssetLimits;
use super::desk::Desk;
use super::out::Failure;
use crate::config::{MAX_ACCESS_TOKEN, MAX_DEVELOPER_TOKEN, MIN_TOKEN, check_logout_uri, check_secret, parse_span, span_words};
use crate::domain::{
    ClaimsProfile, Held, Permission, PermissionSet, Pkce, RedirectUri, Secret, SigningAlg, SubjectType, Timestamp, UnknownWord,
};
use crate::store::ClientRecord;

/// The settings that every kind of client has.
#[derive(Debug, Args)]
pub(super) struct ClientSettings {
    /// Whether requests must carry an S256 code challenge (RFC 7636)
    #[arg(long, value_name = "required|optional")]
    pkce: Option<Pkce>,
    /// Which claims its tokens carry: those of OpenID Connect, or what existing apps of licenses read
    #[arg(long, value_name = "oidc|compat")]
    claims_profile: Option<ClaimsProfile>,
    /// What `sub` is for it; `server` is the server's own setting
    #[arg(long, value_name = "account|pairwise|connector|server")]
    subject: Option<Subject>,
    /// What its tokens are signed with
    #[arg(long, value_name = "RS256|ES256|EdDSA|PS256")]
    signing_alg: Option<SigningAlg>,
    /// How long a person's access token lives, like 10m; at most 1h
    #[arg(long, value_name = "SPAN", value_parser = access_token_lifetime)]
    access_token_lifetime: Option<Duration>,
    #[command(flatten)]
    assets: AssetLimits,
}

impl ClientSettings {
    /// The parts of a client that were asked for.
    pub(super) fn parts(&self) -> impl Iterator<Item = Held> {
        [
            self.pkce.map(|_| Held::Pkce),
            self.claims_profile.map(|_| Held::ClaimsProfile),
            self.subject.map(|_| Held::SubjectType),
            self.signing_alg.map(|_| Held::SigningAlg),
            self.access_token_lifetime.map(|_| Held::AccessTokenLifetime),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether nothing was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.parts().next().is_none() && self.assets.is_empty()
    }

    /// Writes what was asked for into a record.
    pub(super) fn apply(&self, record: &mut ClientRecord, desk: &Desk) -> Result<(), Failure> {
        record.pkce = self.pkce.unwrap_or(record.pkce);
        record.claims_profile = self.claims_profile.unwrap_or(record.claims_profile);
        record.subject_type = self.subject.map_or(record.subject_type, |subject| subject.0);
        record.signing_alg = self.signing_alg.unwrap_or(record.signing_alg);
        record.access_token = self.access_token_lifetime.unwrap_or(record.access_token);
        self.assets.apply(record, desk)
    }
}

/// Names of permissions as a set, if there are such.
pub(super) fn known_permissions(names: impl IntoIterator<Item = Permission>, desk: &Desk) -> Result<PermissionSet, Failure> {
    let set: PermissionSet = names.into_iter().collect();
    let unknown = set.difference(desk.config.vocabulary.all());
    if unknown.is_empty() { Ok(set) } else { Err(Failure(format!("there are no such permissions: {unknown}"))) }
}

/// How long a claim code works.
pub(super) fn claim_lifetime(text: &str) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if (MIN_CLAIM..=MAX_CLAIM).contains(&span) {
        Ok(span)
    } else {
        Err(format!("a claim code works for {} to {}", span_words(MIN_CLAIM), span_words(MAX_CLAIM)))
    }
}

const MIN_CLAIM: Duration = Duration::from_mins(1);
const MAX_CLAIM: Duration = Duration::from_hours(10 * 365 * 24);

#[derive(Clone, Copy, Debug)]
struct Subject(Option<SubjectType>);

impl FromStr for Subject {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if text == "server" { Ok(Self(None)) } else { text.parse().map(|subject| Self(Some(subject))) }
    }
}

/// A secret that somebody chose.
#[derive(Debug, Args)]
pub(super) struct ChosenSecret {
    // Read as it is, and checked later: the parser's own complaint would print it.
    /// A secret of your own, at least 32 characters; other users of this machine can see it in the command line
    #[arg(long, value_name = "SECRET", group = "credential", value_parser = |text: &str| Ok::<_, String>(Secret::new(text)))]
    secret: Option<Secret>,
    /// Read the secret from standard input (one line)
    #[arg(long, group = "credential")]
    secret_stdin: bool,
}

impl ChosenSecret {
    /// Whether one was chosen.
    pub(super) const fn is_given(&self) -> bool {
        self.secret.is_some() || self.secret_stdin
    }

    /// The chosen secret, if there is one and it is long enough.
    pub(super) fn take(self) -> Result<Option<Secret>, Failure> {
        let secret = match (self.secret, self.secret_stdin) {
            (Some(secret), _) => secret,
            (None, true) => secret_line(io::stdin().lock())?,
            (None, false) => return Ok(None),
        };
        check_secret(&secret)?;
        Ok(Some(secret))
    }
}

pub(super) fn secret_line(input: impl BufRead) -> Result<Secret, Failure> {
    let mut line = zeroize::Zeroizing::new(String::new());
    input.take(4_096).read_line(&mut line).map_err(|problem| Failure(format!("standard input cannot be read: {problem}")))?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

/// Each URI once, in the order given: the first one is the sector of pairwise subjects.
pub(super) fn each_once(uris: Vec<RedirectUri>) -> Vec<RedirectUri> {
    let mut seen = std::collections::HashSet::new();
    uris.into_iter().filter(|uri| seen.insert(uri.as_str().to_owned())).collect()
}

/// A name that people read: 1 to 100 characters, none of them a control character.
pub(super) fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=100 if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err("a name has 1 to 100 characters, and no control characters".to_owned()),
    }
}

/// Where an app is told that a session has ended.
pub(super) fn logout_uri(text: &str) -> Result<String, String> {
    check_logout_uri(text).map(|()| text.to_owned())
}

/// The same, or nowhere.
#[derive(Clone, Debug)]
pub(super) struct LogoutUri(pub(super) Option<String>);

pub(super) fn logout_uri_or_off(text: &str) -> Result<LogoutUri, String> {
    if text == "off" { Ok(LogoutUri(None)) } else { logout_uri(text).map(|uri| LogoutUri(Some(uri))) }
}

pub(super) fn access_token_lifetime(text: &str) -> Result<Duration, String> {
    lifetime(text, MAX_ACCESS_TOKEN)
}

pub(super) fn developer_token_lifetime(text: &str) -> Result<Duration, String> {
    lifetime(text, MAX_DEVELOPER_TOKEN)
}

fn lifetime(text: &str, max: Duration) -> Result<Duration, String> {
    let span = parse_span(text)?;
    if (MIN_TOKEN..=max).contains(&span) {
        Ok(span)
    } else {
        Err(format!("a token of this kind lives from {} to {}", span_words(MIN_TOKEN), span_words(max)))
    }
}

pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| "a moment is written like 2027-01-31T12:00:00Z (RFC 3339)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        assert_eq!(name("  My app "), Ok("My app".to_owned()));
        assert!(name(" ").is_err() && name("a\nb").is_err() && name(&"x".repeat(101)).is_err());
        assert_eq!(developer_token_lifetime("14d"), Ok(MAX_DEVELOPER_TOKEN));
        assert!(developer_token_lifetime("15d").is_err() && access_token_lifetime("61m").is_err() && access_token_lifetime("1s").is_err());
        assert!(moment("2027-01-31T12:00:00+02:00").is_ok() && moment("tomorrow").is_err());
        let uri = |text: &str| text.parse::<RedirectUri>().unwrap();
        let (a, b) = (uri("https://a.example/"), uri("https://b.example/"));
        assert_eq!(each_once(vec![b.clone(), a.clone(), b.clone()]), [b, a]);
    }

    #[test]
    fn a_secret_line_ends_at_its_end() {
        assert_eq!(secret_line(&b"two words\r\nnext"[..]).unwrap().expose(), "two words");
    }
}
