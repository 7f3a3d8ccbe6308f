//! Clients: the apps that may ask, with their redirect URIs and, for developer licenses, what a license has besides.
//!
//! This file has the records; `read.rs` and `write.rs` have the verbs.

use std::time::Duration;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

use crate::domain::{
    Address, AuthMethod, ClaimsProfile, ClientId, ClientKind, ClientMetadata, GrantType, OperatorsWord, Pkce, RedirectUri, SigningAlg,
    SubjectType, Timestamp, TokenHash,
};

pub(super) mod read;
pub(super) mod write;

/// A client as it is registered (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRecord {
    pub id: ClientId,
    pub kind: ClientKind,
    /// What people read on the consent page.
    pub name: String,
    /// `None` for a public client, and only then (`auth_method` is `none`).
    pub secret_hash: Option<TokenHash>,
    pub auth_method: AuthMethod,
    pub pkce: Pkce,
    pub claims_profile: ClaimsProfile,
    /// `None`: the server's own setting holds.
    pub subject_type: Option<SubjectType>,
    pub signing_alg: SigningAlg,
    /// How long its access tokens live, in whole seconds.
    pub access_token: Duration,
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The sector of its pairwise subjects (OpenID Connect Core §8.1): a host, which no later change of its URIs moves. `None` only
    /// before the client is stored for the first time: then the host of the oldest redirect URI is taken, if there is one.
    pub sector: Option<String>,
    /// Where it wants to be told that a session has ended (Back-Channel Logout §2.2).
    pub backchannel_logout_uri: Option<String>,
    /// What else is registered.
    pub metadata: ClientMetadata,
    /// What the operator has said of a client that registered itself.
    pub operator: OperatorsWord,
    /// Of the token with which the client manages its own registration (RFC 7592 §3).
    pub registration_hash: Option<TokenHash>,
    /// Of a client that is known by its metadata document: until when that is believed without being fetched again.
    pub document_until: Option<Timestamp>,
    /// Of a client that let itself in: until when it is kept though nobody has agreed to it. `None`: for good.
    pub unused_until: Option<Timestamp>,
    /// When it became another one in people's eyes: what they agreed to before is asked again.
    pub consent_from: Option<Timestamp>,
    /// Of a developer license, and only there.
    pub license: Option<License>,
    pub source: ClientSource,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
}

impl ClientRecord {
    /// A public client that has an id and a name and is otherwise as usual: what every way to register a client begins with.
    #[must_use]
    pub fn new(id: ClientId, name: String, access_token: Duration, now: Timestamp) -> Self {
        Self {
            id,
            kind: ClientKind::Oauth,
            name,
            secret_hash: None,
            auth_method: AuthMethod::None,
            pkce: Pkce::Required,
            claims_profile: ClaimsProfile::Oidc,
            subject_type: None,
            // OpenID Connect Registration §2: the default of id_token_signed_response_alg.
            signing_alg: SigningAlg::Rs256,
            access_token,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            sector: None,
            backchannel_logout_uri: None,
            metadata: ClientMetadata::default(),
            operator: OperatorsWord::default(),
            registration_hash: None,
            document_until: None,
            unused_until: None,
            consent_from: None,
            license: None,
            source: ClientSource::Command,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        }
    }

    /// Whether it is registered for a grant (RFC 7591 §2, `grant_types`). Exchanging tokens is what a license is for.
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant) || (grant == GrantType::TokenExchange && self.kind == ClientKind::License)
    }

    /// Whether that redirect URI is one of those registered.
    #[must_use]
    pub fn returns_to(&self, uri: &RedirectUri) -> bool {
        self.redirect_uris.iter().any(|registered| registered.admits(uri.as_str()))
    }

    /// Whether it made itself known, by registration or by a document.
    #[must_use]
    pub const fn is_self_made(&self) -> bool {
        matches!(self.source, ClientSource::Registration | ClientSource::Document)
    }

    /// The sector of its pairwise subjects, as it is or as it will be once the client is stored.
    #[must_use]
    pub fn sector(&self) -> Option<String> {
        // OpenID Connect Core §8.1: "If the Client has … provided a sector_identifier_uri …, the Sector Identifier … is the host component of it."
        let named = || Some(url::Url::parse(self.metadata.sector_identifier_uri.as_deref()?).ok()?.host_str()?.to_owned());
        self.sector.clone().or_else(named).or_else(|| self.redirect_uris.first().map(|uri| uri.host().to_owned()))
    }
}

/// What a developer license has besides being a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// A name of its own, unique among licenses.
    pub alias: String,
    pub owner: Address,
    /// How long the tokens live that its API keys get, in whole seconds.
    pub developer_token: Duration,
}

/// Who registered a client, and so who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientSource {
    /// The command line.
    Command,
    /// The configuration file: what is no longer in it goes at the next start.
    Config,
    /// Dynamic registration (RFC 7591).
    Registration,
    /// A client id metadata document: the client's id is the address of it.
    Document,
}

/// What a registered URI is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriPurpose {
    /// Codes are sent there (RFC 6749 §3.1.2).
    Redirect,
    /// People are sent there after logging out (RP-Initiated Logout §3).
    PostLogout,
}

impl ClientSource {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Config => "config",
            Self::Registration => "registration",
            Self::Document => "document",
        }
    }
}

impl UriPurpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::PostLogout => "post_logout",
        }
    }
}

macro_rules! word {
    ($($value:ident { $($variant:ident),* })*) => {$(
        impl<DB: Database> Type<DB> for $value where String: Type<DB> {
            fn type_info() -> DB::TypeInfo {
                <String as Type<DB>>::type_info()
            }

            fn compatible(found: &DB::TypeInfo) -> bool {
                <String as Type<DB>>::compatible(found)
            }
        }

        impl<'q, DB: Database> Encode<'q, DB> for $value where String: Encode<'q, DB> {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <String as Encode<'q, DB>>::encode(self.as_str().to_owned(), buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $value where &'r str: Decode<'r, DB> {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let word = <&str as Decode<'r, DB>>::decode(value)?;
                $(if word == Self::$variant.as_str() { return Ok(Self::$variant); })*
                Err(format!("unknown word `{word}`").into())
            }
        }
    )*};
}

word! {
    ClientSource { Command, Config, Registration, Document }
    UriPurpose { Redirect, PostLogout }
}
