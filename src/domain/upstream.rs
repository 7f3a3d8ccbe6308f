//! Providers elsewhere, at which people can prove who they are.

use super::words::words;

words! {
    /// How a provider is spoken to.
    UpstreamKind {
        /// OpenID Connect, as Google has it.
        Google = "google",
        /// OpenID Connect, as Apple has it: the answer comes by a form, and the client's secret is a JWT made for each request.
        Apple = "apple",
        /// OAuth 2.0, and two addresses of GitHub's API.
        Github = "github",
        /// OpenID Connect.
        Oidc = "oidc",
    }
}

impl UpstreamKind {
    /// Whether its answers come by a form that its page posts (OAuth 2.0 Form Post Response Mode).
    #[must_use]
    pub const fn posts_its_answer(self) -> bool {
        matches!(self, Self::Apple)
    }
}
