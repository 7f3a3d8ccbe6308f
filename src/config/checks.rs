//! What settings must hold together.

use super::client_rules::{check_logout_uri_here, check_secret};
use super::clients::ClientEntry;
use super::errors::{ConfigError, Source};
use super::log_filter::log_filter;
use super::settings::Parts;
use super::span::span_words;
use super::table::Effective;
use crate::domain::{PermissionSet, Vocabulary};

/// Adds what does not fit together to `problems`; sections that could not be read are left out.
pub(super) fn run(parts: &Parts, clients: &[ClientEntry], effective: &[Effective], problems: &mut Vec<ConfigError>) {
    let mut tell = |path: &str, problem: String, expected: &str| problems.push(told(effective, path, problem, expected));
    if let Some(server) = &parts.server
        && server.operations_listen.is_some_and(|operations| operations == server.listen && operations.port() != 0)
    {
        tell("server.operations_listen", format!("{} is also server.listen", server.listen), "a port of its own, or off");
    }
    if let Some(tls) = &parts.tls {
        let halves = [("tls.certificate_file", &tls.certificate_file), ("tls.key_file", &tls.key_file)];
        if let [(given, Some(_)), (missing, None)] | [(missing, None), (given, Some(_))] = halves {
            tell(missing, format!("is not set, but {given} is"), "both, or none");
        }
        if let Some(server) = &parts.server
            && tls.is_on()
            && !server.issuer.is_secure()
        {
            let problem = format!("{} is http, but tls.certificate_file makes the server speak https", server.issuer);
            tell("server.issuer", problem, "the https origin that apps and browsers see");
        }
    }
    if let Some(keys) = &parts.keys {
        if keys.sealing_key.is_some() && keys.sealing_key_file.is_some() {
            tell("keys.sealing_key", "keys.sealing_key_file is set too".to_owned(), "one of the two");
        }
        if keys.publish_ahead >= keys.rotate_every {
            let problem =
                format!("{} is not shorter than keys.rotate_every ({})", span_words(keys.publish_ahead), span_words(keys.rotate_every));
            tell("keys.publish_ahead", problem, "less than the time between two rotations");
        }
    }
    if let Some(registration) = &parts.registration
        && let Some(Err(problem)) = registration.initial_access_token.as_ref().map(check_secret)
    {
        tell("registration.initial_access_token", problem, "a long random text, like that of `openssl rand -base64 32`");
    }
    if let Some(mail) = &parts.mail {
        if mail.smtp_url.is_some() && mail.from.is_none() {
            tell("mail.from", "is not set, but mail.smtp_url is".to_owned(), "the address that mails are from, like id@example.com");
        }
        if let Some(url) = &mail.smtp_url
            && url.user.is_some()
            && url.password.is_none()
            && mail.smtp_password.is_none()
        {
            tell("mail.smtp_url", "names a user, but no password".to_owned(), "smtps://USER:PASSWORD@HOST, or mail.smtp_password");
        }
        if let (Some(url), Some(_)) = (&mail.smtp_url, &mail.smtp_password) {
            if url.password.is_some() {
                tell("mail.smtp_password", "mail.smtp_url has a password too".to_owned(), "one of the two");
            }
            if url.user.is_none() {
                tell("mail.smtp_password", "mail.smtp_url names no user".to_owned(), "smtps://USER@HOST");
            }
        }
    }
    if let Some(session) = &parts.session
        && session.idle > session.lifetime
    {
        let problem = format!("{} is longer than session.lifetime ({})", span_words(session.idle), span_words(session.lifetime));
        tell("session.idle", problem, "at most session.lifetime");
    }
    if let Some(egress) = &parts.egress {
        for (place, client) in clients.iter().enumerate() {
            if let Some(problem) = client.backchannel_logout_uri.as_deref().and_then(|uri| check_logout_uri_here(uri, egress).err()) {
                tell(&format!("clients[{place}].backchannel_logout_uri"), problem, "an https address");
            }
        }
    }
    if let Some(tokens) = &parts.tokens
        && tokens.refresh_idle > tokens.refresh_lifetime
    {
        let problem =
            format!("{} is longer than tokens.refresh_lifetime ({})", span_words(tokens.refresh_idle), span_words(tokens.refresh_lifetime));
        tell("tokens.refresh_idle", problem, "at most tokens.refresh_lifetime");
    }
    if let Some(wallet) = &parts.wallet {
        if wallet.chains.is_empty() {
            tell("wallet.chains", "names no chain".to_owned(), "at least one chain id");
        }
        if let Some(twice) = wallet.chains.iter().enumerate().find_map(|(place, id)| wallet.chains[..place].contains(id).then_some(id)) {
            tell("wallet.chains", format!("names {twice} twice"), "each chain id once");
        }
    }
    if let Some(log) = &parts.log
        && let Err(problem) = log_filter(&log.filter)
    {
        tell("log.filter", problem, "a level, or a list like info,latchkey=debug");
    }
}

/// Adds what does not fit together about assets.
pub(super) fn assets(parts: &Parts, effective: &[Effective], problems: &mut Vec<ConfigError>) {
    let Some(assets) = &parts.assets else { return };
    let mut tell = |path: &str, problem: String, expected: &str| problems.push(told(effective, path, problem, expected));
    // Otherwise a consumer could take a token of the one kind for one of the other.
    if let Some((issuer, server)) = assets.issuer.as_ref().zip(parts.server.as_ref())
        && issuer.as_str() == server.issuer.as_str()
    {
        tell("assets.issuer", format!("{issuer} is also server.issuer"), "a URL of its own");
    }
    if assets.audiences.is_empty() {
        tell("assets.audiences", "names no audience".to_owned(), AUDIENCE);
    }
    if let Some(audience) = assets.audiences.iter().find(|audience| !is_audience(audience)) {
        tell("assets.audiences", format!("`{audience}` is no audience"), AUDIENCE);
    }
}

/// Adds what clients of the file cannot be limited to.
pub(super) fn limits_of_clients(clients: &[ClientEntry], vocabulary: &Vocabulary, file: &Source, problems: &mut Vec<ConfigError>) {
    for client in clients {
        let (id, metadata) = (&client.id, &client.metadata);
        let mut tell = |problem: String, expected: &str| {
            let expected = Some(expected.to_owned());
            problems.push(ConfigError { path: "clients".to_owned(), source: file.clone(), problem: format!("{id}: {problem}"), expected });
        };
        if let Some(audience) = metadata.audiences.iter().flatten().find(|audience| !is_audience(audience)) {
            tell(format!("`{audience}` is no audience"), AUDIENCE);
        }
        let unknown = metadata.permissions.as_ref().map_or_else(PermissionSet::new, |limit| limit.difference(vocabulary.all()));
        if !unknown.is_empty() {
            tell(format!("there are no such permissions: {unknown}"), "names of [[permissions]], or of the usual ones");
        }
    }
}

const AUDIENCE: &str = "1 to 200 visible ASCII characters each, like dimo.zone";

fn is_audience(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a text may be an audience of asset tokens.
///
/// # Errors
/// What it should be.
pub(crate) fn check_audience(text: &str) -> Result<(), String> {
    if is_audience(text) { Ok(()) } else { Err("an audience has 1 to 200 visible ASCII characters".to_owned()) }
}

fn told(effective: &[Effective], path: &str, problem: String, expected: &str) -> ConfigError {
    let source = effective.iter().find(|row| row.path == path).map_or(Source::Default, |row| row.source.clone());
    ConfigError { path: path.to_owned(), source, problem, expected: Some(expected.to_owned()) }
}
