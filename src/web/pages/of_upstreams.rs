//! The page between us and a provider.

use askama::Template;

use super::{Frame, text};
use crate::web::assets;

/// On the way to a provider: the page leads on by itself, and has a link where a browser does not follow.
#[derive(Template, Debug)]
#[template(path = "upstream_leave.html")]
pub struct LeavePage {
    pub frame: Frame,
    /// What the provider is called.
    pub name: String,
    pub host: String,
    pub href: String,
}
