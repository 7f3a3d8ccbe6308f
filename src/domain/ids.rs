//! Identifiers: each kind of thing has its own type, so that one can never be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Address;

/// The id of an OAuth client (RFC 6749 §2.2): 1 to 200 visible ASCII characters, or up to 500 of an https URL, at which the client's own
/// metadata are. One that is an address (a developer license) is kept checksummed, so that `0xabc…` and `0xABC…` are one client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a client id has 1 to 200 visible ASCII characters and no spaces (an https URL up to 500)")]
pub struct ClientIdError;

impl ClientId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address that this id is, when it is one: then the client is a developer license, or nothing.
    #[must_use]
    pub fn as_address(&self) -> Option<Address> {
        self.0.parse().ok()
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        if let Ok(address) = text.parse::<Address>() {
            return Ok(Self::from(address));
        }
        // RFC 6749 Appendix A.1: client-id = *VSCHAR. Spaces are left out too: they only ever were mistakes.
        let most = if text.starts_with("https://") { 500 } else { 200 };
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(ClientIdError) }
    }
}

impl From<Address> for ClientId {
    fn from(address: Address) -> Self {
        Self(address.checksummed())
    }
}

impl TryFrom<String> for ClientId {
    type Error = ClientIdError;

    fn try_from(text: String) -> Result<Self, ClientIdError> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )*};
}

uuid_ids! {
    /// A person's account.
    AccountId;
    /// One signing-in of one browser; the `sid` of tokens (OpenID Connect Front-Channel Logout §3).
    SessionId;
    /// A visit to `/auth` (or to a page of ours that needs a sign-in) that is not finished yet.
    InteractionId;
    /// A challenge of the wallet API, which is also the record of the tokens that it gave.
    ChallengeId;
    /// An authorization code's record, which is also the record of the tokens it gave: the `jti` of the access token.
    CodeId;
    /// A refresh token and all that replaced it.
    FamilyId;
    /// A device that waits for a person (RFC 8628).
    DeviceId;
    /// A code that was mailed; the id of its mail too.
    EmailCodeId;
    /// What an owner granted to an app; the `jti` of its receipt.
    GrantId;
}

/// How a person proved who they are; the `provider_id` claim. Configured providers of other kinds will have names of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Provider(String);

impl Provider {
    /// A wallet's signature; the identity's subject is the address.
    pub const WEB3: &'static str = "web3";
    /// A code that was mailed; the identity's subject is the address.
    pub const EMAIL: &'static str = "email";

    /// A passkey; the identity's subject is the credential's id.
    pub const PASSKEY: &'static str = "passkey";
    /// A password of this server.
    pub const PASSWORD: &'static str = "password";

    #[must_use]
    pub fn web3() -> Self {
        Self(Self::WEB3.to_owned())
    }

    #[must_use]
    pub fn passkey() -> Self {
        Self(Self::PASSKEY.to_owned())
    }

    #[must_use]
    pub fn email() -> Self {
        Self(Self::EMAIL.to_owned())
    }

    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_client_id_in_any_case() {
        let lower: ClientId = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed".parse().unwrap();
        assert_eq!(lower.as_str(), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        assert!(lower.as_address().is_some());
    }

    #[test]
    fn strange_client_ids_are_refused() {
        let url = |length: usize| format!("https://{}", "x".repeat(length - 8));
        assert!(url(500).parse::<ClientId>().is_ok());
        for text in ["", "a b", "é", "line\nbreak", &"x".repeat(201), &url(501)] {
            assert_eq!(text.parse::<ClientId>(), Err(ClientIdError));
        }
    }
}
