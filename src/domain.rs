//! The plain words of the product: addresses, identifiers, scopes, assets and grants, secrets, time and chance.
//!
//! Everything here is a value that cannot be wrong once it exists. Constructors parse; nothing here does I/O,
//! and nothing here knows of HTTP, SQL or the rooms above.

mod address;
mod asset;
mod chance;
mod client;
mod client_metadata;
mod contract;
mod did;
mod email;
mod email_code;
mod event_filter;
mod grant;
mod ids;
mod key_purpose;
mod keyed;
mod operators_word;
mod passkey;
mod password;
mod permission;
mod redirect_uri;
mod refresh_token;
mod resource;
mod scope;
mod secret;
mod time;
mod token_id;
mod upstream;
mod user_code;
mod vocabulary;
mod words;

pub use address::{Address, AddressError};
pub use asset::{Asset, Owner, Standing};
pub use chance::Entropy;
pub use client::{AuthMethod, ClaimsProfile, ClientKind, GrantType, Pkce, SigningAlg, SubjectType};
pub use client_metadata::ClientMetadata;
pub use contract::{Contract, ContractError};
pub use did::{AssetDid, AssetDidError, AssetMethod, ChainId, ChainIdError};
pub use email::{Email, EmailError};
pub use email_code::EmailCode;
pub use event_filter::{EventFilter, EventFilterError};
pub use grant::{Grant, GrantEnd, GrantSource};
pub use ids::{
    AccountId, ChallengeId, ClientId, ClientIdError, CodeId, DeviceId, EmailCodeId, FamilyId, GrantId, InteractionId, Provider, SessionId,
};
pub use key_purpose::KeyPurpose;
pub use operators_word::{Held, OperatorsWord};
pub use passkey::{BackupState, Ceremony};
pub use password::{NewPassword, PasswordError, typed as typed_password};
pub use permission::{Permission, PermissionError, PermissionSet};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use refresh_token::RefreshToken;
pub use resource::{Resource, ResourceUri, ResourceUriError};
pub use scope::{Scope, ScopeError};
pub use secret::{Secret, TokenHash};
pub use time::{Clock, Timestamp};
pub use token_id::{TokenId, TokenIdError};
pub use upstream::UpstreamKind;
pub use user_code::UserCode;
pub use vocabulary::{
    PermissionBits, PermissionBitsError, PermissionIcon, PermissionId, PermissionIdError, PermissionTemplate, PermissionTerm, Risk,
    Vocabulary, VocabularyError,
};
pub use words::UnknownWord;
