//! The page of a code that is mailed: an address is asked for, then the code.

use askama::Template;

use super::{Frame, SignInPage};
use crate::domain::Email;
use crate::web::assets;

/// `/interaction/{id}/email`.
#[derive(Template, Debug)]
#[template(path = "email.html")]
pub struct EmailPage {
    pub frame: Frame,
    pub interaction: String,
    pub csrf: String,
    pub stage: EmailStage,
    /// What is wrong, and what to do.
    pub problem: Option<EmailProblem>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum EmailStage {
    /// The address; what was typed before.
    Address { typed: String },
    /// The code that was mailed there.
    Code {
        email: String,
        /// The mail has left.
        sent: bool,
        /// The code can still be typed.
        alive: bool,
    },
}

#[derive(Clone, Debug)]
pub struct EmailProblem {
    pub title: String,
    pub words: String,
}

impl SignInPage {
    /// The address that the app says its person has, if it is one.
    pub(super) fn email_hint(&self) -> &str {
        self.login_hint.as_deref().filter(|hint| hint.parse::<Email>().is_ok()).unwrap_or_default()
    }
}
