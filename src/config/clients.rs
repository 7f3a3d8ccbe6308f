//! Clients that the configuration file declares (`[[clients]]`), and the rules that every registration of a client obeys,
//! wherever it comes from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Host, Url};

use super::errors::{ConfigError, Source};
use super::table::{Given, Section, SectionTable, section};
use super::value::Value;
use crate::domain::{ClaimsProfile, ClientId, Pkce, RedirectUri, Secret, SigningAlg, SubjectType, TokenHash};

section! {
    /// A client, declared in the file in place of `latchkey client create`. Repeat the section for each one.
    pub(super) clients: ClientRow {
        /// The client id.
        id: ClientId;
        /// The name that people see when they sign in.
        name: String;
        /// Its secret, at least 32 characters. One of `secret`, `secret_file` and `public` must be given.
        secret: Option<Secret>;
        /// A file that holds the secret.
        secret_file: Option<PathBuf>;
        /// Whether it is a public client: it has no secret and always uses PKCE.
        public: bool = "false";
        /// Where people are sent back to, compared byte for byte; at least one.
        redirect_uris: Vec<RedirectUri>;
        /// Where people may be sent after signing out.
        post_logout_redirect_uris: Vec<RedirectUri>;
        /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout): https, or http on this machine for development.
        backchannel_logout_uri: Option<String>;
        /// Whether requests must carry an S256 code challenge.
        pkce: Pkce = "required";
        /// Which claims its tokens carry.
        claims_profile: ClaimsProfile = "oidc";
        /// What `sub` is for it.
        subject: Option<SubjectType>, shown "{tokens.subject}";
        /// What its tokens are signed with.
        signing_alg: SigningAlg = "RS256";
        /// How long its access tokens live.
        access_token: Option<Duration>, shown "{tokens.access_token}", from "1m" to "1h";
    }
}

pub(super) const CLIENTS: SectionTable = ClientRow::TABLE;

/// The fewest characters of a secret that somebody chose: it is kept as a plain SHA-256, which only a long secret bears.
pub const MIN_SECRET: usize = 32;
/// The shortest that a client's tokens may live.
pub const MIN_TOKEN: Duration = Duration::from_mins(1);
/// The longest that a person's access token may live.
pub const MAX_ACCESS_TOKEN: Duration = Duration::from_hours(1);
/// The longest that a license's developer token may live.
pub const MAX_DEVELOPER_TOKEN: Duration = Duration::from_hours(14 * 24);

/// A client of the configuration file.
#[derive(Clone, Debug)]
pub struct ClientEntry {
    pub id: ClientId,
    pub name: String,
    pub credential: Credential,
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    pub backchannel_logout_uri: Option<String>,
    pub pkce: Pkce,
    pub claims_profile: ClaimsProfile,
    /// `None`: the server's own setting.
    pub subject: Option<SubjectType>,
    pub signing_alg: SigningAlg,
    /// `None`: the server's own setting.
    pub access_token: Option<Duration>,
}

/// How a client proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    Public,
    Secret(TokenHash),
}

/// Whether a chosen secret is long enough to be kept as a hash; the error is a sentence.
pub fn check_secret(secret: &Secret) -> Result<(), String> {
    match secret.expose().chars().count() {
        MIN_SECRET.. => Ok(()),
        short => Err(format!("the secret has {short} characters; it needs at least {MIN_SECRET}")),
    }
}

/// What is wrong with a setting of a client: the setting, and a sentence.
pub(crate) type Wrong = (&'static str, String);

/// What every ordinary client must hold.
pub(crate) fn check_client(id: &ClientId, public: bool, pkce: Pkce, redirect_uris: &[RedirectUri]) -> Vec<Wrong> {
    [check_id(id), check_pkce(public, pkce), check_uris(redirect_uris)].into_iter().flatten().collect()
}

fn check_id(id: &ClientId) -> Option<Wrong> {
    id.as_address().map(|_| ("id", format!("{id} is an address, and those are ids of licenses: `latchkey license create`")))
}

// RFC 9700 §2.1.1: "Public clients MUST use PKCE".
fn check_pkce(public: bool, pkce: Pkce) -> Option<Wrong> {
    (public && pkce == Pkce::Optional).then(|| ("pkce", "a public client always uses PKCE".to_owned()))
}

fn check_uris(redirect_uris: &[RedirectUri]) -> Option<Wrong> {
    redirect_uris.is_empty().then(|| ("redirect_uris", "there is no redirect URI".to_owned()))
}

/// Whether an app may want its logout messages there, as far as the address tells; the error is a sentence. Whether this server goes there
/// is looked at with each message.
// Back-Channel Logout §2.2: "This URI SHOULD use the https scheme … The URI MUST NOT include a fragment component."
pub(crate) fn check_logout_uri(uri: &str) -> Result<(), String> {
    if uri.len() > 2_000 || !uri.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return Err("it has at most 2000 characters, all of them printable ASCII without spaces or backslashes".to_owned());
    }
    let url = Url::parse(uri).map_err(|_| "it is an absolute URI, like https://app.example/signed-out".to_owned())?;
    let this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let problem = match url.scheme() {
        "https" => None,
        "http" if this_machine => None,
        "http" => Some("it uses https; http is for localhost, 127.0.0.1 and [::1] only, in development"),
        _ => Some("it uses https"),
    };
    let problem = problem.or_else(|| uri.contains('#').then_some("it has no fragment (the part behind #)"));
    let named = !url.username().is_empty() || url.password().is_some();
    match problem.or_else(|| named.then_some("it has no user name or password")) {
        Some(problem) => Err(problem.to_owned()),
        None => Ok(()),
    }
}

/// The same for what only the server's own settings tell: without TLS a message would be read and swallowed on its way, so it goes to this
/// machine alone, and only where that is opened for development.
pub(crate) fn check_logout_uri_here(uri: &str, egress: &super::Egress) -> Result<(), String> {
    if uri.starts_with("http:") && !egress.allow_private_networks {
        return Err("it uses https; http is for development, where egress.allow_private_networks is true".to_owned());
    }
    Ok(())
}

/// Reads every entry; what is wrong goes to `problems`.
pub(super) fn read(entries: Vec<BTreeMap<String, Given>>, file: &Source, problems: &mut Vec<ConfigError>) -> Vec<ClientEntry> {
    let mut clients: Vec<ClientEntry> = Vec::new();
    let mut ids: Vec<Option<ClientId>> = Vec::new();
    for (place, given) in entries.into_iter().enumerate() {
        let path = format!("clients[{place}]");
        let fields = Fields::of(&given);
        let mut unseen = Vec::new();
        let row = ClientRow::read(&mut Section {
            path: path.clone(),
            source: file.clone(),
            given: given.clone(),
            problems,
            effective: &mut unseen,
        });
        let mut tell = |(key, problem): Wrong| {
            problems.push(ConfigError { path: format!("{path}.{key}"), source: file.clone(), problem, expected: None });
        };
        fields.rules().into_iter().for_each(&mut tell);
        if let Some(id) = &fields.id
            && let Some(first) = ids.iter().position(|known| known.as_ref() == Some(id))
        {
            tell(("id", format!("{id} is the id of clients[{first}] too")));
        }
        let credential = match &row {
            Some(row) => Some(credential(row.public, row.secret.as_ref(), row.secret_file.as_deref())),
            None => readable_credential(&given),
        };
        match (credential, row) {
            (Some(Ok(credential)), Some(row)) => clients.push(row.with(credential)),
            (Some(Err(problem)), _) => tell(problem),
            _ => {}
        }
        ids.push(fields.id);
    }
    clients
}

/// The fields that rules look at, each as far as it can be read: one bad field must not hide what is wrong with the others.
struct Fields {
    id: Option<ClientId>,
    public: Option<bool>,
    pkce: Option<Pkce>,
    redirect_uris: Option<Vec<RedirectUri>>,
    backchannel_logout_uri: Option<String>,
}

impl Fields {
    fn of(given: &BTreeMap<String, Given>) -> Self {
        Self {
            id: field(given, "id"),
            public: field(given, "public"),
            pkce: field(given, "pkce"),
            redirect_uris: field(given, "redirect_uris"),
            backchannel_logout_uri: field::<Option<String>>(given, "backchannel_logout_uri").flatten(),
        }
    }

    fn rules(&self) -> Vec<Wrong> {
        let of_id = self.id.as_ref().and_then(check_id);
        let of_pkce = self.public.zip(self.pkce).and_then(|(public, pkce)| check_pkce(public, pkce));
        let of_uris = self.redirect_uris.as_deref().and_then(check_uris);
        let of_logout = self.backchannel_logout_uri.as_deref().and_then(|uri| check_logout_uri(uri).err());
        [of_id, of_pkce, of_uris, of_logout.map(|problem| ("backchannel_logout_uri", problem))].into_iter().flatten().collect()
    }
}

// How the client proves itself; `None` where that cannot be read.
fn readable_credential(given: &BTreeMap<String, Given>) -> Option<Result<Credential, Wrong>> {
    let (secret, file): (Option<Secret>, Option<PathBuf>) = (field(given, "secret")?, field(given, "secret_file")?);
    Some(credential(field(given, "public")?, secret.as_ref(), file.as_deref()))
}

// A field's value, its default where it is not given; `None` when it is wrong or missing, which is told elsewhere.
fn field<T: Value>(given: &BTreeMap<String, Given>, key: &str) -> Option<T> {
    let setting = CLIENTS.settings.iter().find(|setting| setting.key == key)?;
    match (given.get(key), setting.default) {
        (Some(given), _) => T::from_raw(&given.raw).ok(),
        (None, Some(default)) => T::from_text(default).ok(),
        (None, None) => T::absent(),
    }
}

fn credential(public: bool, secret: Option<&Secret>, secret_file: Option<&Path>) -> Result<Credential, Wrong> {
    let (key, secret) = match (public, secret, secret_file) {
        (true, None, None) => return Ok(Credential::Public),
        (false, Some(secret), None) => ("secret", secret.clone()),
        (false, None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .map_err(|problem| ("secret_file", format!("{} cannot be read: {problem}", path.display())))?;
            ("secret_file", Secret::new(text.trim_end_matches(['\r', '\n'])))
        }
        (false, None, None) => return Err(("secret", "is missing; give secret or secret_file, or say public = true".to_owned())),
        _ => return Err(("secret", "only one of secret, secret_file and public can be given".to_owned())),
    };
    check_secret(&secret).map_err(|problem| (key, problem))?;
    Ok(Credential::Secret(secret.hash()))
}

impl ClientRow {
    fn with(self, credential: Credential) -> ClientEntry {
        ClientEntry {
            id: self.id,
            name: self.name,
            credential,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            backchannel_logout_uri: self.backchannel_logout_uri,
            pkce: self.pkce,
            claims_profile: self.claims_profile,
            subject: self.subject,
            signing_alg: self.signing_alg,
            access_token: self.access_token,
        }
    }
}
