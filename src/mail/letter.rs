//! What letters say: each in plain text and in HTML, from the templates of `templates/mail`.
//!
//! No name that an app chose is in a letter: whoever can register an app could write to anybody by it.

use askama::Template;
use uuid::Uuid;

use super::MailError;
use crate::domain::{EmailCode, Timestamp};

/// A letter, whole but for the address that it goes to.
#[derive(Clone)]
pub struct Letter {
    /// The same at each attempt.
    pub id: Uuid,
    pub at: Timestamp,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The one line that counts, for a log in development.
    pub(super) gist: String,
}

// It may hold a code.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A code to sign in with.
#[derive(Debug)]
pub struct CodeFacts<'a> {
    /// The issuer's host, with its port where it has one: people know the site by it.
    pub site: &'a str,
    pub code: &'a EmailCode,
    /// How long it can be typed, in words.
    pub lifetime: String,
}

/// A change to somebody's account.
#[derive(Debug)]
pub struct NoticeFacts<'a> {
    pub site: &'a str,
    pub title: &'a str,
    /// What happened, in a sentence.
    pub what: String,
    /// When, in words.
    pub when: String,
    /// The account's page on this server.
    pub account: String,
}

#[derive(Template)]
#[template(path = "mail/code.txt")]
struct CodeText<'a> {
    site: &'a str,
    code: &'a str,
    lifetime: &'a str,
}

#[derive(Template)]
#[template(path = "mail/code.html")]
struct CodeHtml<'a> {
    site: &'a str,
    code: &'a str,
    lifetime: &'a str,
}

#[derive(Template)]
#[template(path = "mail/notice.txt")]
struct NoticeText<'a> {
    site: &'a str,
    title: &'a str,
    what: &'a str,
    when: &'a str,
    account: &'a str,
}

#[derive(Template)]
#[template(path = "mail/notice.html")]
struct NoticeHtml<'a> {
    site: &'a str,
    title: &'a str,
    what: &'a str,
    when: &'a str,
    account: &'a str,
}

impl Letter {
    /// The letter with a code.
    ///
    /// # Errors
    /// [`MailError::NotNow`] when a template fails.
    pub fn code(id: Uuid, at: Timestamp, facts: &CodeFacts<'_>) -> Result<Self, MailError> {
        let CodeFacts { site, code, lifetime } = facts;
        let code = code.expose();
        Ok(Self {
            id,
            at,
            subject: format!("Your code for {site}"),
            text: rendered(&CodeText { site, code, lifetime })?,
            html: rendered(&CodeHtml { site, code, lifetime })?,
            gist: format!("the code to sign in is {code}"),
        })
    }

    /// The letter about a change.
    ///
    /// # Errors
    /// As [`Self::code`].
    pub fn notice(id: Uuid, at: Timestamp, facts: &NoticeFacts<'_>) -> Result<Self, MailError> {
        let NoticeFacts { site, title, what, when, account } = facts;
        Ok(Self {
            id,
            at,
            subject: format!("{site}: {title}"),
            text: rendered(&NoticeText { site, title, what, when, account })?,
            html: rendered(&NoticeHtml { site, title, what, when, account })?,
            gist: what.clone(),
        })
    }
}

fn rendered(template: &impl Template) -> Result<String, MailError> {
    template.render().map_err(|reason| MailError::NotNow(format!("a letter could not be written: {reason}")))
}
