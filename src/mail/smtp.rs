//! A mail server, spoken to by SMTP (RFC 5321) over connections that are kept for the next letter.
//!
//! The connections are kept here and not by the library: one that was given up in the middle of a letter must never carry another, and
//! nobody waits longer than the settings say, whatever the server does.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use lettre::address::{Address, Envelope};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::sync::Semaphore;

use super::{Letter, MailError};
use crate::config::{Mail, Sender, SmtpSecurity, SmtpUrl};
use crate::domain::{Email, Secret};

/// How many letters are on their way at once.
const AT_ONCE: usize = 8;
/// How many connections are kept, and how long: servers end those that are quiet.
const KEPT: usize = 4;
const KEPT_FOR: Duration = Duration::from_secs(30);

/// The mail server of the settings.
pub(super) struct Smtp {
    server: SmtpUrl,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Mailbox,
    // What the ids of letters end with.
    host: String,
    timeout: Duration,
    places: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

// A connection that is free for the next letter.
struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Smtp {
    /// `None` where the settings name no server. `host`: the issuer's, without its port.
    pub(super) fn new(settings: &Mail, host: &str) -> Result<Option<Self>, MailError> {
        let (Some(server), Some(from)) = (settings.smtp_url.clone(), settings.from.as_ref()) else { return Ok(None) };
        let tls = match server.security {
            SmtpSecurity::None => None,
            SmtpSecurity::Tls | SmtpSecurity::StartTls => Some(tls(&server.host, settings.extra_ca_file.as_deref())?),
        };
        let password = server.password.clone().or_else(|| settings.smtp_password.clone());
        let credentials = server.user.clone().zip(password);
        Ok(Some(Self {
            tls,
            credentials: credentials.map(|(user, password): (String, Secret)| Credentials::new(user, password.expose().to_owned())),
            hello: ClientId::Domain(host.to_owned()),
            from: mailbox(from)?,
            host: host.to_owned(),
            timeout: settings.timeout,
            places: Semaphore::new(AT_ONCE),
            idle: Mutex::default(),
            server,
        }))
    }

    pub(super) async fn send(&self, to: &Email, letter: &Letter) -> Result<(), MailError> {
        let to = address(to).ok_or_else(|| MailError::Refused("no mail server can be told this address".to_owned()))?;
        let message = self.message(&to, letter)?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to]).map_err(|reason| MailError::Refused(reason.to_string()))?;
        // Whatever is dropped here in the middle is a connection that nobody uses again.
        match tokio::time::timeout(self.timeout, self.deliver(&envelope, &message)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(MailError::NotNow("the mail server did not answer in time".to_owned())),
        }
    }

    /// Whether the server lets us in, by TLS and password as the settings say. Nothing is sent.
    pub(super) async fn knock(&self) -> Result<(), MailError> {
        match tokio::time::timeout(self.timeout, self.connect()).await {
            Ok(connected) => {
                self.keep(connected?);
                Ok(())
            }
            Err(_) => Err(MailError::NotNow("the mail server did not answer in time".to_owned())),
        }
    }

    async fn deliver(&self, envelope: &Envelope, message: &[u8]) -> Result<(), MailError> {
        let _place = self.places.acquire().await.map_err(|_| MailError::NotNow("the server is stopping".to_owned()))?;
        let mut connection = match self.living().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        match connection.send(envelope, message).await {
            Ok(_) => {
                self.keep(connection);
                Ok(())
            }
            // RFC 5321 §4.2.1: 5yz is a "Permanent Negative Completion reply", 4yz a transient one: "the action may be requested again".
            Err(reason) if reason.is_permanent() || reason.is_client() => Err(MailError::Refused(told(&reason, envelope))),
            Err(reason) => Err(MailError::NotNow(format!("the mail server did not take the mail: {}", told(&reason, envelope)))),
        }
    }

    // A kept connection that still answers.
    async fn living(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let Idle { mut connection, since } = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if since.elapsed() < KEPT_FOR && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    // A refusal here is about us and not about the letter, however it is meant: an operator may mend it.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let failed = |reason: lettre::transport::smtp::Error| {
            MailError::NotNow(format!("the mail server cannot be used: {}", plain(&reason.to_string())))
        };
        let at_once = self.tls.clone().filter(|_| self.server.security == SmtpSecurity::Tls);
        let server = (self.server.host.as_str(), self.server.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &self.hello, at_once, None).await.map_err(failed)?;
        if let (SmtpSecurity::StartTls, Some(tls)) = (self.server.security, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await.map_err(failed)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(&[Mechanism::Plain, Mechanism::Login], credentials).await.map_err(failed)?;
        }
        Ok(connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(Idle { connection, since: Instant::now() });
        }
    }

    fn message(&self, to: &Address, letter: &Letter) -> Result<Vec<u8>, MailError> {
        let seconds = u64::try_from(letter.at.seconds()).unwrap_or(0);
        let parts = MultiPart::builder()
            .kind(MultiPartKind::Alternative)
            .boundary(format!("latchkey-{}", letter.id.simple()))
            .singlepart(SinglePart::plain(letter.text.clone()))
            .singlepart(SinglePart::html(letter.html.clone()));
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .date(UNIX_EPOCH + Duration::from_secs(seconds))
            // The same at each attempt: a mail that was taken though we did not hear it is known again.
            .message_id(Some(format!("<{}@{}>", letter.id.simple(), self.host)))
            .subject(letter.subject.clone())
            // RFC 3834 §5: "MUST be set to any value except "no" … on messages which are automatically generated": no vacation answers it.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(parts)
            .map_err(|reason| MailError::Refused(reason.to_string()))?;
        Ok(message.formatted())
    }
}

fn tls(host: &str, extra: Option<&Path>) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(file) = extra {
        let tell = |why: String| MailError::Setup(format!("mail.extra_ca_file {} {why}", file.display()));
        let text = std::fs::read(file).map_err(|problem| tell(format!("cannot be read: {problem}")))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&text).map_err(|problem| tell(format!("cannot be used: {problem}")))?);
    }
    builder.build().map_err(|problem| MailError::Setup(format!("TLS for the mail server cannot be set up: {problem}")))
}

fn mailbox(sender: &Sender) -> Result<Mailbox, MailError> {
    let email = address(&sender.email).ok_or_else(|| MailError::Setup(format!("mail.from: {} cannot send mail", sender.email.as_str())))?;
    Ok(Mailbox::new(sender.name.clone(), email))
}

fn address(email: &Email) -> Option<Address> {
    email.as_str().parse().ok()
}

// Whom a mail was for is nobody's business who reads the log; mail servers like to repeat it.
fn told(error: &lettre::transport::smtp::Error, envelope: &Envelope) -> String {
    plain(&envelope.to().iter().fold(error.to_string(), |text, address| without(&text, address.as_ref())))
}

// A text without an address, however it is written there.
fn without(text: &str, address: &str) -> String {
    let (lower, address) = (text.to_ascii_lowercase(), address.to_ascii_lowercase());
    let mut rest = 0;
    let mut kept = String::new();
    for (place, found) in lower.match_indices(&address) {
        kept.push_str(&text[rest..place]);
        kept.push('…');
        rest = place + found.len();
    }
    kept + &text[rest..]
}

// What a mail server says comes into the log on one line, and not without end.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
