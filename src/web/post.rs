//! The post: a mail that was claimed is written, sent, and what came of it stored. Whoever asked for a code does that at once, the worker
//! does it for all others and later.

use std::time::Duration;

use crate::config::Upstream;
use crate::domain::{EmailCode, EmailCodeId, Provider, Timestamp};
use crate::mail::{CodeFacts, Letter, MailError, NoticeFacts};
use crate::state::State;
use crate::store::{Mail, MailSubject};
use crate::web::words;

/// How long after an attempt comes the next one.
const PAUSES: &[u64] = &[5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600];
/// What a claim lasts beyond the time that the mail server has.
const MARGIN: Duration = Duration::from_secs(5);

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    Sent,
    /// The mail server will not take it.
    Refused,
    /// To be tried again.
    Later,
}

/// Until when a mail is claimed by whoever sends it now.
#[must_use]
pub fn claim(state: &State) -> Timestamp {
    state.clock.now().plus(state.config.mail.timeout + MARGIN)
}

/// Sends a mail that was claimed.
pub async fn send(state: &State, mail: &Mail) -> Posted {
    let Some(mailer) = &state.mail else { return Posted::Later };
    let sent = match letter(state, mail) {
        Ok(letter) => mailer.send(&mail.recipient, &letter).await,
        Err(reason) => Err(reason),
    };
    let (posted, stored) = match sent {
        Ok(()) => (Posted::Sent, state.store.finish_mail(mail, true).await.is_ok()),
        Err(MailError::Refused(reason)) => {
            tracing::warn!(id = %mail.id, to = mail.recipient.veiled(), reason, "a mail was refused");
            (Posted::Refused, state.store.finish_mail(mail, false).await.is_ok())
        }
        Err(reason @ (MailError::NotNow(_) | MailError::Setup(_))) => {
            let pause = pause_after(mail.attempts);
            tracing::warn!(id = %mail.id, attempt = mail.attempts, next_s = pause.as_secs(), %reason, "a mail could not be sent");
            (Posted::Later, state.store.postpone_mail(mail, state.clock.now().plus(pause)).await.is_ok())
        }
    };
    // It is due again when the claim is over: somebody may get it twice, under one Message-ID.
    if !stored {
        tracing::debug!(id = %mail.id, "what came of a mail could not be stored");
    }
    posted
}

fn letter(state: &State, mail: &Mail) -> Result<Letter, MailError> {
    // Never the Host header: whoever sends one would choose where the links of other people's mails lead.
    let site = state.config.server.issuer.host();
    let upstreams = &state.config.upstreams;
    let way = |provider: &Provider, name: &str| way(provider, name, upstreams);
    let notice = |title, what| {
        let facts = NoticeFacts { site, title, what, when: words::moment(mail.created_at), account: format!("{}/account", state.issuer()) };
        Letter::notice(mail.id, mail.created_at, &facts)
    };
    match &mail.subject {
        MailSubject::Code => {
            let code = EmailCode::of(EmailCodeId(mail.id), &state.keys.pairwise_secret());
            let lifetime = words::wait(mail.expires_at.since(state.clock.now()).as_secs());
            Letter::code(mail.id, mail.created_at, &CodeFacts { site, code: &code, lifetime })
        }
        MailSubject::WayAdded { provider, name } => notice(
            "A way to sign in was added",
            format!("From now on, somebody can sign in to your account at {site} with this: {}.", way(provider, name)),
        ),
        MailSubject::WayChanged { provider, name } => notice(
            "A way to sign in was changed",
            format!("From now on, your account at {site} is signed in to with another secret: {}.", way(provider, name)),
        ),
        MailSubject::WayRemoved { provider, name } => notice(
            "A way to sign in was removed",
            format!("From now on, nobody can sign in to your account at {site} with this any more: {}.", way(provider, name)),
        ),
        MailSubject::NewDevice { provider, user_agent } => notice(
            "Somebody signed in on a new device",
            format!(
                "Somebody signed in to your account at {site}, in a browser where it was not used before: {}, by {}.",
                words::device(user_agent),
                words::provider_name(provider, upstreams)
            ),
        ),
    }
}

// A name is what a person or a provider chose: on one line, and not without end.
fn way(provider: &Provider, name: &str, upstreams: &[Upstream]) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(100).collect();
    format!("{} ({})", words::provider_name(provider, upstreams), name.trim())
}

fn pause_after(attempts: i64) -> Duration {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    Duration::from_secs(PAUSES.get(place).or(PAUSES.last()).copied().unwrap_or(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_tried_often_while_it_lives() {
        let pauses: Vec<u64> = (1..=11).map(|attempts| pause_after(attempts).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 3_600]);
        assert_eq!(pause_after(i64::MAX), Duration::from_hours(1));
        assert_eq!(pause_after(0), Duration::from_secs(5));
    }

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(way(&Provider::email(), "a\r\nBcc: b", &[]), "Email (a  Bcc: b)");
        assert_eq!(way(&Provider::web3(), &"x".repeat(500), &[]).len(), 9 + 100);
    }
}
