//! Clients that the configuration file declares (`[[clients]]`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::client_rules::{
    Proof, Wrong, check_grants, check_id, check_logout_uri, check_pkce, check_secret, check_uris, method_for, read_jwks,
};
use super::errors::{ConfigError, Source};
use super::table::{Given, Section, SectionTable, section};
use super::value::Value;
use crate::domain::{
    AuthMethod, ClaimsProfile, ClientId, ClientMetadata, GrantType, Permission, Pkce, RedirectUri, Scope, Secret, SigningAlg, SubjectType,
    TokenHash,
};

section! {
    /// A client, declared in the file in place of `latchkey client create`. Repeat the section for each one.
    pub(super) clients: ClientRow {
        /// The client id.
        id: ClientId;
        /// The name that people see when they sign in.
        name: String;
        /// Its secret, at least 32 characters. One of `secret`, `secret_file`, `jwks_file`, `jwks_uri` and `public` must be given.
        secret: Option<Secret>;
        /// A file that holds the secret.
        secret_file: Option<PathBuf>;
        /// A file that holds its public keys, a JWK set: it proves itself by `private_key_jwt`.
        jwks_file: Option<PathBuf>;
        /// The https address of its public keys, a JWK set: it proves itself by `private_key_jwt`.
        jwks_uri: Option<String>;
        /// Whether it is a public client: it has no secret and always uses PKCE.
        public: bool = "false";
        /// How it proves itself, where `client_secret` (by Basic or in the form) is to be one of the two alone.
        auth_method: Option<AuthMethod>, shown "what fits its secret or keys";
        /// The only algorithm that its assertions may be signed with.
        auth_signing_alg: Option<SigningAlg>, shown "any of them";
        /// The grants that it may use.
        grant_types: Vec<GrantType> = "authorization_code, refresh_token";
        /// The scopes that it may ask for, with spaces between them; with `client_credentials` only these can be had.
        scope: Option<Scope>, shown "any";
        /// Whether it must push its authorization requests (RFC 9126).
        require_pushed_authorization_requests: bool = "false";
        /// Where people are sent back to, compared byte for byte; at least one, unless it never uses `authorization_code`.
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
        /// The audiences that its asset tokens may have.
        audiences: Vec<String>, shown "{assets.audiences}";
        /// The most that it can be given on any asset, whatever owners grant.
        permissions: Vec<Permission>, shown "any";
        /// Whether it is a part of this house: it acts with all that its user has as an owner, on the user's own assets.
        first_party: bool = "false";
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
    pub auth_method: AuthMethod,
    pub metadata: ClientMetadata,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    Public,
    Secret(TokenHash),
    /// Its public keys, by value.
    Jwks(serde_json::Value),
    /// Where its public keys are; whether that can be fetched from at all is looked at when the server starts.
    JwksUri(String),
}

impl Credential {
    fn proof(&self) -> Proof {
        match self {
            Self::Public => Proof::Nothing,
            Self::Secret(_) => Proof::Secret,
            Self::Jwks(_) | Self::JwksUri(_) => Proof::Keys,
        }
    }
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
        let (ways, asked) = match &row {
            Some(row) => (Some(Ways::of(row)), Some(row.auth_method)),
            None => (Ways::readable(&given), field(&given, "auth_method")),
        };
        let credential = ways.map(Ways::credential);
        let method = match &credential {
            Some(Ok(credential)) => asked.map(|asked| method_for(credential.proof(), asked)),
            _ => None,
        };
        match (credential, method, row) {
            (Some(Ok(credential)), Some(Ok(method)), Some(row)) => clients.push(row.with(credential, method)),
            (Some(Err(problem)), _, _) | (_, Some(Err(problem)), _) => tell(problem),
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
    grant_types: Option<BTreeSet<GrantType>>,
}

impl Fields {
    fn of(given: &BTreeMap<String, Given>) -> Self {
        Self {
            id: field(given, "id"),
            public: field(given, "public"),
            pkce: field(given, "pkce"),
            redirect_uris: field(given, "redirect_uris"),
            backchannel_logout_uri: field::<Option<String>>(given, "backchannel_logout_uri").flatten(),
            grant_types: field::<Vec<GrantType>>(given, "grant_types").map(|grants| grants.into_iter().collect()),
        }
    }

    fn rules(&self) -> Vec<Wrong> {
        let of_id = self.id.as_ref().and_then(check_id);
        let of_pkce = self.public.zip(self.pkce).and_then(|(public, pkce)| check_pkce(public, pkce));
        let of_uris = self.redirect_uris.as_deref().zip(self.grant_types.as_ref()).and_then(|(uris, grants)| check_uris(uris, grants));
        let of_grants = self.public.zip(self.grant_types.as_ref()).and_then(|(public, grants)| check_grants(public, grants));
        let of_logout = self.backchannel_logout_uri.as_deref().and_then(|uri| check_logout_uri(uri).err());
        let of_logout = of_logout.map(|problem| ("backchannel_logout_uri", problem));
        [of_id, of_pkce, of_uris, of_grants, of_logout].into_iter().flatten().collect()
    }
}

/// The ways to prove itself that an entry gives; one of them is right.
struct Ways {
    public: bool,
    secret: Option<Secret>,
    secret_file: Option<PathBuf>,
    jwks_file: Option<PathBuf>,
    jwks_uri: Option<String>,
}

impl Ways {
    fn of(row: &ClientRow) -> Self {
        Self {
            public: row.public,
            secret: row.secret.clone(),
            secret_file: row.secret_file.clone(),
            jwks_file: row.jwks_file.clone(),
            jwks_uri: row.jwks_uri.clone(),
        }
    }

    // `None` where one of them cannot be read, which is told elsewhere.
    fn readable(given: &BTreeMap<String, Given>) -> Option<Self> {
        Some(Self {
            public: field(given, "public")?,
            secret: field(given, "secret")?,
            secret_file: field(given, "secret_file")?,
            jwks_file: field(given, "jwks_file")?,
            jwks_uri: field(given, "jwks_uri")?,
        })
    }

    fn credential(self) -> Result<Credential, Wrong> {
        let (key, secret) = match (self.public, self.secret, self.secret_file, self.jwks_file, self.jwks_uri) {
            (true, None, None, None, None) => return Ok(Credential::Public),
            (false, Some(secret), None, None, None) => ("secret", secret),
            (false, None, Some(path), None, None) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|problem| ("secret_file", format!("{} cannot be read: {problem}", path.display())))?;
                ("secret_file", Secret::new(text.trim_end_matches(['\r', '\n'])))
            }
            (false, None, None, Some(path), None) => {
                return read_jwks(&path).map(Credential::Jwks).map_err(|problem| ("jwks_file", problem));
            }
            (false, None, None, None, Some(uri)) => return Ok(Credential::JwksUri(uri)),
            (false, None, None, None, None) => {
                return Err(("secret", "is missing; give secret, secret_file, jwks_file or jwks_uri, or say public = true".to_owned()));
            }
            _ => return Err(("secret", "only one of secret, secret_file, jwks_file, jwks_uri and public can be given".to_owned())),
        };
        check_secret(&secret).map_err(|problem| (key, problem))?;
        Ok(Credential::Secret(secret.hash()))
    }
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

impl ClientRow {
    fn with(self, credential: Credential, auth_method: AuthMethod) -> ClientEntry {
        let mut metadata = ClientMetadata {
            grant_types: self.grant_types.into_iter().collect(),
            scope: self.scope,
            token_endpoint_auth_signing_alg: self.auth_signing_alg,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            audiences: (!self.audiences.is_empty()).then_some(self.audiences),
            permissions: (!self.permissions.is_empty()).then(|| self.permissions.into_iter().collect()),
            first_party: self.first_party,
            ..ClientMetadata::default()
        };
        match &credential {
            Credential::Jwks(set) => metadata.jwks = Some(set.clone()),
            Credential::JwksUri(uri) => metadata.jwks_uri = Some(uri.clone()),
            Credential::Public | Credential::Secret(_) => {}
        }
        ClientEntry {
            auth_method,
            metadata,
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
