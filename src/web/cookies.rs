//! The cookies: one binds a browser to what it began, one is a signed-in session, one tells where accounts were used before, and one only how
//! somebody last signed in here. None can be read by a script.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::domain::{Entropy, Provider, Secret, TokenHash};

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jar {
    /// Binds interactions, challenges and forms to the browser that began them.
    Browser,
    /// A signed-in session.
    Session,
    /// The accounts that were used in this browser (`known.rs`).
    Known,
    /// Says by which way somebody last signed in here.
    Way,
}

impl Jar {
    // RFC 6265bis §4.1.3.2: "__Host-" keeps other hosts of the same site from planting a cookie. Browsers demand `Secure` for it,
    // which plain http on loopback cannot have.
    const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Browser, true) => "__Host-latchkey_browser",
            (Self::Browser, false) => "latchkey_browser",
            (Self::Session, true) => "__Host-latchkey_session",
            (Self::Session, false) => "latchkey_session",
            (Self::Known, true) => "__Host-latchkey_known",
            (Self::Known, false) => "latchkey_known",
            (Self::Way, true) => "__Host-latchkey_way",
            (Self::Way, false) => "latchkey_way",
        }
    }

    /// The secret that the browser sent, if it has the form of one of ours.
    #[must_use]
    pub fn read(self, request: &HttpRequest, secure: bool) -> Option<Secret> {
        let text = self.text(request, secure)?;
        (text.len() == 43).then(|| Secret::new(text))
    }

    /// What the browser sent, as it is.
    #[must_use]
    pub fn text(self, request: &HttpRequest, secure: bool) -> Option<String> {
        Some(request.cookie(self.name(secure))?.value().to_owned())
    }

    /// A cookie that holds `secret`. Without `lifetime` it ends with the browser.
    #[must_use]
    pub fn set(self, secret: &Secret, lifetime: Option<std::time::Duration>, secure: bool) -> Cookie<'static> {
        let mut cookie =
            Cookie::build(self.name(secure), secret.expose().to_owned()).path("/").http_only(true).secure(secure).same_site(SameSite::Lax);
        if let Some(lifetime) = lifetime {
            cookie = cookie.max_age(CookieDuration::seconds(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)));
        }
        cookie.finish()
    }

    /// A cookie that makes the browser forget.
    #[must_use]
    pub fn clear(self, secure: bool) -> Cookie<'static> {
        Cookie::build(self.name(secure), "")
            .path("/")
            .http_only(true)
            .secure(secure)
            .same_site(SameSite::Lax)
            .max_age(CookieDuration::ZERO)
            .finish()
    }
}

/// How long a browser keeps how somebody signed in there: as long as browsers keep any cookie (RFC 6265bis §5.6.1: "at most 400 days").
const LAST_WAY_KEPT: std::time::Duration = std::time::Duration::from_hours(400 * 24);

/// The cookie that says by which way somebody last signed in in this browser: not who, and nothing that lets anybody in.
#[must_use]
pub fn last_way(provider: &Provider, secure: bool) -> Cookie<'static> {
    Jar::Way.set(&Secret::new(provider.as_str()), Some(LAST_WAY_KEPT), secure)
}

/// What that cookie says. Anybody may have written it: it is only ever compared.
#[must_use]
pub fn last_way_of(request: &HttpRequest, secure: bool) -> Option<String> {
    Jar::Way.text(request, secure)
}

/// A browser that we know again by its cookie.
#[derive(Clone, Debug)]
pub struct Browser {
    secret: Secret,
    /// Whether the cookie must be sent, because the browser had none.
    pub new: bool,
}

impl Browser {
    /// The browser of this request; `None` when it sent no cookie of ours.
    #[must_use]
    pub fn known(request: &HttpRequest, secure: bool) -> Option<Self> {
        Jar::Browser.read(request, secure).map(|secret| Self { secret, new: false })
    }

    /// The browser of this request, made known if it was not.
    #[must_use]
    pub fn known_or_new(request: &HttpRequest, secure: bool, entropy: &Entropy) -> Self {
        Self::known(request, secure).unwrap_or_else(|| Self { secret: entropy.secret(), new: true })
    }

    #[must_use]
    pub fn hash(&self) -> TokenHash {
        self.secret.hash()
    }

    #[must_use]
    pub fn cookie(&self, secure: bool) -> Cookie<'static> {
        Jar::Browser.set(&self.secret, None, secure)
    }

    /// The token that our own pages put into their forms: nobody can know it who does not know the cookie.
    #[must_use]
    pub fn csrf(&self) -> String {
        let hash = TokenHash::of(&format!("csrf:{}", self.secret.expose()));
        Secret::from_bytes(hash.as_bytes()).expose().to_owned()
    }

    /// Whether `presented` is this browser's token, compared in constant time.
    #[must_use]
    pub fn owns(&self, presented: &str) -> bool {
        verify_slices_are_equal(self.csrf().as_bytes(), presented.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn cookies_are_bound_to_the_host_and_hidden_from_scripts() {
        let secret = Secret::new("x".repeat(43));
        assert_eq!(
            Jar::Session.set(&secret, None, true).to_string(),
            format!("__Host-latchkey_session={}; HttpOnly; SameSite=Lax; Secure; Path=/", "x".repeat(43))
        );
        assert!(!Jar::Browser.set(&secret, None, false).to_string().contains("Secure"));
    }

    #[test]
    fn a_csrf_token_belongs_to_one_browser() {
        let request = |c: char| TestRequest::default().cookie(Cookie::new("latchkey_browser", c.to_string().repeat(43))).to_http_request();
        let (one, other) = (Browser::known(&request('a'), false).unwrap(), Browser::known(&request('b'), false).unwrap());
        assert!(one.owns(&one.csrf()));
        assert!(!one.owns(&other.csrf()));
        assert!(!one.owns(""));
        assert!(Browser::known(&TestRequest::default().to_http_request(), false).is_none());
    }
}
