//! What GitHub's API says of a person: it has no ID token, and two addresses in its place.

use serde::Deserialize;
use url::Url;

use crate::domain::Email;

/// The addresses of a GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub authorization: Url,
    pub token: Url,
    pub user: Url,
    pub emails: Url,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// It stays; a login can be renamed, and then be somebody else's.
    pub id: u64,
    pub login: String,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

impl Endpoints {
    /// Those of the site at `issuer`: `https://github.com`, or a GitHub Enterprise Server, whose API is below it.
    ///
    /// # Errors
    /// When it is no URL.
    pub fn of(issuer: &str) -> Result<Self, url::ParseError> {
        let site = issuer.trim_end_matches('/');
        let api = if site == "https://github.com" { "https://api.github.com".to_owned() } else { format!("{site}/api/v3") };
        Ok(Self {
            authorization: format!("{site}/login/oauth/authorize").parse()?,
            token: format!("{site}/login/oauth/access_token").parse()?,
            user: format!("{api}/user").parse()?,
            emails: format!("{api}/user/emails").parse()?,
        })
    }
}

/// Reads the answer of `/user`.
#[must_use]
pub fn user(body: &[u8]) -> Option<User> {
    serde_json::from_slice(body).ok()
}

/// The address of `/user/emails` that GitHub vouches for: the primary one, if it is verified.
#[must_use]
pub fn email(body: &[u8]) -> Option<Email> {
    let addresses: Vec<Address> = serde_json::from_slice(body).ok()?;
    addresses.into_iter().find(|address| address.primary && address.verified)?.email.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_its_addresses() {
        let public = Endpoints::of("https://github.com").unwrap();
        assert_eq!(
            [public.authorization, public.token, public.user, public.emails].map(|url| url.to_string()),
            [
                "https://github.com/login/oauth/authorize",
                "https://github.com/login/oauth/access_token",
                "https://api.github.com/user",
                "https://api.github.com/user/emails"
            ]
        );
        assert_eq!(Endpoints::of("https://git.example/").unwrap().emails.as_str(), "https://git.example/api/v3/user/emails");
    }

    #[test]
    fn only_the_primary_address_counts_and_only_if_it_is_verified() {
        let of = |list: &str| email(list.as_bytes()).map(|email| email.to_string());
        let entry =
            |email: &str, primary: bool, verified: bool| format!(r#"{{"email":"{email}","primary":{primary},"verified":{verified}}}"#);
        let (other, first) = (entry("other@b.example", false, true), entry("Ada@b.example", true, true));
        assert_eq!(of(&format!("[{other},{first}]")), Some("ada@b.example".to_owned()));
        assert_eq!(of(&format!("[{other},{}]", entry("ada@b.example", true, false))), None);
        for text in [
            "",
            "[]",
            "{}",
            r#"[{"email":"ada@b.example","primary":true}]"#,
            r#"[{"email":"ada@b.example","primary":"true","verified":"true"}]"#,
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_person_is_a_number() {
        assert_eq!(user(br#"{"id":583231,"login":"octocat","name":null}"#), Some(User { id: 583_231, login: "octocat".into() }));
        for text in [r#"{"login":"octocat"}"#, r#"{"id":"583231","login":"octocat"}"#, r#"{"id":-1,"login":"x"}"#, "null"] {
            assert_eq!(user(text.as_bytes()), None, "{text}");
        }
    }
}
