//! Mail: the one place that speaks to a mail server.
//!
//! In comes a letter, whole, with the address that it goes to; out goes whether the server took it, and if not, whether it may later.
//! Links in letters are of the issuer. Nothing here knows of accounts, and nothing of a request comes into a letter but what is given.

mod letter;
mod smtp;

#[cfg(test)]
mod tests;

pub use letter::{CodeFacts, Letter, NoticeFacts};

use crate::config::Config;
use crate::domain::Email;
use smtp::Smtp;

/// How letters leave.
#[derive(Debug)]
pub struct Mailer {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Smtp(Box<Smtp>),
    /// Development without a mail server: who reads the log reads the letters.
    Log,
}

/// Why a letter did not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The settings cannot be used: a sentence for the operator.
    #[error("{0}")]
    Setup(String),
    /// The mail server will not take it, now or later.
    #[error("the mail server refused it: {0}")]
    Refused(String),
    /// It may be taken later: the server does not answer, is too slow, or says so.
    #[error("{0}")]
    NotNow(String),
}

impl Mailer {
    /// By the mail server of the settings; `None`: there is none.
    ///
    /// # Errors
    /// [`MailError::Setup`].
    pub fn new(config: &Config) -> Result<Option<Self>, MailError> {
        let smtp = Smtp::new(&config.mail, &config.issuer_host())?;
        Ok(smtp.map(|smtp| Self { way: Way::Smtp(Box::new(smtp)) }))
    }

    /// Into the log, where anybody who reads it finds the codes: for development alone.
    #[must_use]
    pub fn to_the_log() -> Self {
        Self { way: Way::Log }
    }

    #[must_use]
    pub fn is_the_log(&self) -> bool {
        matches!(self.way, Way::Log)
    }

    /// Tries whether letters could leave, and sends none.
    ///
    /// # Errors
    /// [`MailError::NotNow`].
    pub async fn knock(&self) -> Result<(), MailError> {
        match &self.way {
            Way::Smtp(smtp) => smtp.knock().await,
            Way::Log => Ok(()),
        }
    }

    /// Sends a letter, within the time of `mail.timeout`.
    ///
    /// # Errors
    /// [`MailError::Refused`], [`MailError::NotNow`].
    pub async fn send(&self, to: &Email, letter: &Letter) -> Result<(), MailError> {
        let outcome = match &self.way {
            Way::Smtp(smtp) => smtp.send(to, letter).await,
            Way::Log => {
                tracing::warn!(to = to.as_str(), "no mail server is set, so this mail is shown here alone: {}", letter.gist);
                Ok(())
            }
        };
        let word = match &outcome {
            Ok(()) => "sent",
            Err(MailError::Refused(_)) => "refused",
            Err(MailError::NotNow(_) | MailError::Setup(_)) => "failed",
        };
        metrics::counter!("latchkey_mails_total", "outcome" => word).increment(1);
        outcome
    }
}
