//! The plain words of the product: addresses, identifiers, scopes, secrets, time and chance.
//!
//! Everything here is a value that cannot be wrong once it exists. Constructors parse; nothing here does I/O,
//! and nothing here knows of HTTP, SQL or the rooms above.

mod address;
mod chance;
mod client;
mod client_metadata;
mod ids;
mod operators_word;
mod redirect_uri;
mod refresh_token;
mod resource;
mod scope;
mod secret;
mod time;
mod user_code;

pub use address::{Address, AddressError};
pub use chance::Entropy;
pub use client::{AuthMethod, ClaimsProfile, ClientKind, GrantType, Pkce, SigningAlg, SubjectType, UnknownWord};
pub use client_metadata::ClientMetadata;
pub use ids::{AccountId, ChallengeId, ClientId, ClientIdError, CodeId, DeviceId, FamilyId, InteractionId, Provider, SessionId};
pub use operators_word::{Held, OperatorsWord};
pub use redirect_uri::{RedirectUri, RedirectUriError};
pub use refresh_token::RefreshToken;
pub use resource::{Resource, ResourceUri, ResourceUriError};
pub use scope::{Scope, ScopeError};
pub use secret::{Secret, TokenHash};
pub use time::{Clock, Timestamp};
pub use user_code::UserCode;
