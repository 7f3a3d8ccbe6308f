//! Email addresses, as far as a server can know them before it has written to one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An email address in lower case, so that one mailbox is one address whatever case it was typed in: local part, `@` and a domain of at
/// least two labels, at most 254 characters (RFC 5321 §4.5.3.1.3 less the brackets). Quoted local parts and address literals, which nobody
/// uses to sign in, are refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Why a text is no email address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an email address looks like name@example.com")]
pub struct EmailError;

impl Email {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mailbox that it leads to, as far as that is known: what stands behind a `+` is a tag for its owner (RFC 5233).
    #[must_use]
    pub fn mailbox(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let mailbox = local.split_once('+').map_or(local, |(mailbox, _)| mailbox);
        format!("{}@{domain}", if mailbox.is_empty() { local } else { mailbox })
    }

    /// What may be shown to somebody who need not know it whole: `a…@example.com`.
    #[must_use]
    pub fn veiled(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let first = local.chars().next().map(String::from).unwrap_or_default();
        format!("{first}…@{domain}")
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        // RFC 5322 §3.2.3, dot-atom; letters of other scripts too (RFC 6531 §3.3).
        let atom = |c: char| c.is_alphanumeric() || (c.is_ascii_graphic() && !r#"()<>[]:;@\,"."#.contains(c));
        let dots = |part: &str, fits: &dyn Fn(char) -> bool| part.split('.').all(|atom| !atom.is_empty() && atom.chars().all(fits));
        let label = |c: char| c.is_alphanumeric() || c == '-';
        let fits = text.len() <= 254
            && local.len() <= 64
            && dots(local, &atom)
            && domain.contains('.')
            && dots(domain, &label)
            && domain.split('.').all(|part| part.len() <= 63 && !part.starts_with('-') && !part.ends_with('-'));
        if fits { Ok(Self(text.to_lowercase())) } else { Err(EmailError) }
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// A person's address is nobody's business in a log.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.veiled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_is_one_address() {
        for text in ["Ada.Lovelace+cars@Example.COM", "  ada.lovelace+cars@example.com\t"] {
            let email: Email = text.parse().unwrap();
            assert_eq!(email.as_str(), "ada.lovelace+cars@example.com");
            assert_eq!(email.mailbox(), "ada.lovelace@example.com");
            assert_eq!((email.veiled(), format!("{email:?}")), ("a…@example.com".to_owned(), "a…@example.com".to_owned()));
        }
        assert!("jürgen@bücher.example".parse::<Email>().is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.example", ["b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(63)].join("."));
        let wrong = [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@@example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada@-example.com",
            "ada@example.com\r\nBcc: all@example.com",
            "ada@example.com, eve@example.com",
            "ada <ada@example.com>",
            "\"ada\"@example.com",
            "ada@[192.0.2.1]",
            "ada lovelace@example.com",
            &long,
            &longer,
        ];
        for text in wrong {
            assert_eq!(text.parse::<Email>(), Err(EmailError), "{text:?}");
        }
    }
}
