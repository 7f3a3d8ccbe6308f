//! The page on which a person sets a password.

use askama::Template;

use super::Frame;
use crate::web::assets;

/// `/account/password`.
#[derive(Template, Debug)]
#[template(path = "account_password.html")]
pub struct AccountPasswordPage {
    pub frame: Frame,
    pub csrf: String,
    /// The addresses that the password may be for; one of them is typed with it. Empty: none is proved yet.
    pub emails: Vec<String>,
    /// Whether there is one, which this takes the place of.
    pub replaces: bool,
    pub problem: Option<String>,
}
