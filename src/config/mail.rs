//! Where mail goes out, and from whom: the address of a mail server, and the sender's.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

use super::value::Value;
use crate::domain::{Email, Secret};

/// The address of a mail server. Its `Debug` and `Display` leave out user and password.
#[derive(Clone)]
pub struct SmtpUrl {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    pub user: Option<String>,
    pub password: Option<Secret>,
}

/// How what is said to a mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// STARTTLS (RFC 3207), without which nothing is sent.
    StartTls,
    /// Not at all: on this machine, or where the operator says so.
    None,
}

/// Why a text is no address of a mail server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpUrlError {
    #[error("begins with neither smtp:// nor smtps://")]
    Scheme,
    #[error("is not a URL ({0}); in a password, write @ as %40, / as %2F, : as %3A")]
    Url(url::ParseError),
    #[error("names no host")]
    Host,
    #[error("has a path or a fragment, which mean nothing there")]
    Rest,
    #[error("has a query other than `tls=off` or `tls=required`")]
    Query,
    #[error("has a user or password that is not UTF-8 text when it is decoded")]
    User,
}

impl FromStr for SmtpUrl {
    type Err = SmtpUrlError;

    fn from_str(text: &str) -> Result<Self, SmtpUrlError> {
        let url = Url::parse(text).map_err(SmtpUrlError::Url)?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(SmtpUrlError::Scheme),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpUrlError::Host)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SmtpUrlError::Rest);
        }
        let security = match (implicit, url.query()) {
            (true, None | Some("tls=required")) => SmtpSecurity::Tls,
            (false, Some("tls=off")) => SmtpSecurity::None,
            (false, None) if is_this_machine(&host) => SmtpSecurity::None,
            (false, None | Some("tls=required")) => SmtpSecurity::StartTls,
            (_, Some(_)) => return Err(SmtpUrlError::Query),
        };
        let user = decoded(url.username())?;
        let password = url.password().map(decoded).transpose()?.map(Secret::new);
        Ok(Self {
            port: url.port().unwrap_or(match security {
                SmtpSecurity::Tls => 465,
                SmtpSecurity::StartTls => 587,
                SmtpSecurity::None => 25,
            }),
            host,
            security,
            user: Some(user).filter(|user| !user.is_empty()),
            password,
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

// RFC 3986 §2.1.
fn decoded(text: &str) -> Result<String, SmtpUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        match byte {
            b'%' => match (digit(), digit()) {
                (Some(high), Some(low)) => bytes.push(high << 4 | low),
                _ => return Err(SmtpUrlError::User),
            },
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| SmtpUrlError::User)
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.security == SmtpSecurity::Tls { "smtps" } else { "smtp" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({self}, {:?})", self.security)
    }
}

impl Value for SmtpUrl {
    // It may hold a password.
    const SECRET: bool = true;

    fn expected() -> String {
        "smtps://USER:PASSWORD@HOST, or smtp://… for STARTTLS".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|problem: SmtpUrlError| problem.to_string())
    }
}

/// Whom mails are from: an address, and perhaps a name before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    pub name: Option<String>,
    pub email: Email,
}

/// Why a text is no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither an email address nor a name and an address in angle brackets")]
pub struct SenderError;

impl FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        let (name, email) = match text.trim().strip_suffix('>') {
            Some(rest) => rest.rsplit_once('<').ok_or(SenderError)?,
            None => ("", text),
        };
        let name = name.trim().trim_matches('"').trim();
        if name.chars().count() > 100 || name.contains(|c: char| c.is_control() || matches!(c, '<' | '>')) {
            return Err(SenderError);
        }
        let email = email.parse().map_err(|_| SenderError)?;
        Ok(Self { name: Some(name.to_owned()).filter(|name| !name.is_empty()), email })
    }
}

impl Value for Sender {
    fn expected() -> String {
        "an email address, like id@example.com or Example <id@example.com>".to_owned()
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse().map_err(|problem: SenderError| problem.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, u16, SmtpSecurity), SmtpUrlError> {
        text.parse::<SmtpUrl>().map(|url| (url.host, url.port, url.security))
    }

    #[test]
    fn nothing_goes_out_in_the_clear_unless_it_stays_here_or_that_is_said() {
        use SmtpSecurity::{None, StartTls, Tls};
        for (text, host, port, security) in [
            ("smtps://mail.example", "mail.example", 465, Tls),
            ("smtps://mail.example:2465/?tls=required", "mail.example", 2_465, Tls),
            ("smtp://mail.example", "mail.example", 587, StartTls),
            ("smtp://10.0.0.1:25", "10.0.0.1", 25, StartTls),
            ("smtp://mail.example?tls=off", "mail.example", 25, None),
            ("smtp://localhost:1025", "localhost", 1_025, None),
            ("smtp://127.0.0.1", "127.0.0.1", 25, None),
            ("smtp://[::1]:1025", "::1", 1_025, None),
            ("smtp://localhost.example", "localhost.example", 587, StartTls),
            ("smtp://127.0.0.1?tls=required", "127.0.0.1", 587, StartTls),
        ] {
            assert_eq!(read(text), Ok((host.to_owned(), port, security)), "{text}");
        }
    }

    #[test]
    fn what_is_no_mail_server_is_named() {
        for (text, why) in [
            ("https://mail.example", SmtpUrlError::Scheme),
            ("smtp://mail.example/inbox", SmtpUrlError::Rest),
            ("smtps://mail.example?tls=off", SmtpUrlError::Query),
            ("smtp://mail.example?tls=opportunistic", SmtpUrlError::Query),
            ("smtp://%ff:x@mail.example", SmtpUrlError::User),
            ("smtp:mail.example", SmtpUrlError::Host),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert!(matches!(read("mail.example"), Err(SmtpUrlError::Url(_))));
    }

    #[test]
    fn a_password_is_decoded_and_never_shown() {
        let url: SmtpUrl = "smtps://id%40example.com:a%2Fb%3Ac+d%26e@mail.example".parse().unwrap();
        assert_eq!(url.user.as_deref(), Some("id@example.com"));
        assert_eq!(url.password.as_ref().unwrap().expose(), "a/b:c+d&e");
        assert_eq!(format!("{url} {url:?}"), "smtps://mail.example:465 SmtpUrl(smtps://mail.example:465, Tls)");
    }

    #[test]
    fn a_sender_has_an_address_and_may_have_a_name() {
        let sender = |text: &str| text.parse::<Sender>().map(|sender| (sender.name, sender.email.as_str().to_owned()));
        let of = |name: Option<&str>| Ok((name.map(str::to_owned), "id@example.com".to_owned()));
        assert_eq!(sender("id@example.com"), of(None));
        assert_eq!(sender("<id@example.com>"), of(None));
        assert_eq!(sender("The Garage <ID@example.com>"), of(Some("The Garage")));
        assert_eq!(sender("\"Garage, the\" <id@example.com>"), of(Some("Garage, the")));
        for text in ["", "The Garage", "a <b> <id@example.com", "a\r\nBcc: x@example.com <id@example.com>", "a <x> <id@example.com>"] {
            assert_eq!(sender(text), Err(SenderError), "{text:?}");
        }
    }
}
