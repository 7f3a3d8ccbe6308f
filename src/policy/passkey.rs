//! Passkeys (Web Authentication Level 3): what an authenticator is asked, and whether its answer proves anything. The reading and the
//! signatures are `webauthn-rs`'s; what we ask for is here. In come JSON and what was stored, out go a record or a refusal.

mod keeper;

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{Credential, DiscoverableAuthentication, PasskeyRegistration, WebauthnError};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::domain::{BackupState, Timestamp};
use crate::store::Passkey;

/// An authenticator's signature, as `PublicKeyCredential.toJSON()` writes it.
pub use webauthn_rs::prelude::PublicKeyCredential as Assertion;
/// A new credential, written in the same way.
pub use webauthn_rs::prelude::RegisterPublicKeyCredential as Registration;

/// How long an authenticator may take.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_mins(5);

/// Web Authentication §7.1: "Verify that the credentialId is ≤ 1023 bytes. Credential IDs larger than this many bytes SHOULD cause the RP to
/// fail this registration ceremony."
const LONGEST_ID: usize = 1023;

/// This server, as authenticators know it.
#[derive(Clone, Debug)]
pub struct RelyingParty(Webauthn);

/// Whom a new passkey is for.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// What the authenticator will know the account by.
    pub user_handle: Uuid,
    /// What people see in their authenticator's list.
    pub name: &'a str,
    /// The credential ids that the account has already.
    pub known: &'a [String],
}

/// What an authenticator is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// For `navigator.credentials`.
    pub public_key: Value,
    /// To be stored, for the answer.
    pub state: Value,
}

/// A signature that is the passkey's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub counter: u32,
    pub backup_state: BackupState,
}

/// Why an answer proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was made for another site, or inside another site's page.
    AnotherSite,
    /// The authenticator did not look who holds it.
    NotVerified,
    /// It says that the passkey is another account's.
    AnothersHandle,
    /// Anything else, in the library's words, for the log.
    Invalid(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherSite => f.write_str("it was made for another site"),
            Self::NotVerified => f.write_str("the person was not verified"),
            Self::AnothersHandle => f.write_str("its user handle is another one"),
            Self::Invalid(reason) => f.write_str(reason),
        }
    }
}

impl From<WebauthnError> for Refusal {
    fn from(error: WebauthnError) -> Self {
        use WebauthnError as E;
        match error {
            E::InvalidRPOrigin | E::InvalidRPIDHash | E::CredentialCrossOrigin => Self::AnotherSite,
            E::UserNotVerified | E::UserNotPresent => Self::NotVerified,
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// What is kept between asking for a new passkey and getting it.
#[derive(Serialize, Deserialize)]
struct Pending {
    user_handle: Uuid,
    registration: PasskeyRegistration,
}

impl RelyingParty {
    /// The relying party of an issuer: its host is the RP ID, its origin the only one. `None` where the host is an IP address, for which
    /// there are no passkeys.
    // Web Authentication §5.1.3: "Only the domain format of host is allowed here."
    #[must_use]
    pub fn of(issuer: &str) -> Option<Self> {
        let origin = Url::parse(issuer).ok()?;
        let host = origin.domain()?;
        let builder = WebauthnBuilder::new(host, &origin).ok()?.rp_name(host).timeout(CHALLENGE_LIFETIME);
        builder.build().ok().map(Self)
    }

    /// Asks for a new passkey: one that can be found without a name, by an authenticator that looks who holds it. What make it is, is not asked.
    pub fn register(&self, person: Person<'_>) -> Result<Asked, Refusal> {
        let known = person.known.iter().filter_map(|id| URL_SAFE_NO_PAD.decode(id).ok()).collect();
        let (options, registration) = self.0.start_passkey_registration(person.user_handle, person.name, person.name, Some(known))?;
        let mut public_key = public_key(&options)?;
        // Web Authentication §5.4.6: "required: The Relying Party requires a client-side discoverable credential". The library would rather
        // have none; but then nobody could sign in without first saying who they are.
        if let Some(Value::Object(selection)) = public_key.get_mut("authenticatorSelection") {
            selection.insert("residentKey".to_owned(), "required".into());
            selection.insert("requireResidentKey".to_owned(), true.into());
        }
        let state = to_json(&Pending { user_handle: person.user_handle, registration })?;
        Ok(Asked { public_key, state })
    }

    /// The passkey that was made, if it was made as asked.
    pub fn registered(&self, state: Value, answer: &Registration, now: Timestamp) -> Result<Passkey, Refusal> {
        let Pending { user_handle, registration } = from_json(state)?;
        let mut credential: Credential = self.0.finish_passkey_registration(answer, &registration)?.into();
        if credential.cred_id.is_empty() || credential.cred_id.len() > LONGEST_ID {
            return Err(Refusal::Invalid("the credential id is empty or too long".to_owned()));
        }
        // It is counted where it is stored, in the statement that notes the use. Here it stands still.
        let counter = std::mem::take(&mut credential.counter);
        Ok(Passkey {
            credential_id: URL_SAFE_NO_PAD.encode(&credential.cred_id),
            user_handle,
            counter,
            backup_state: backup_state(credential.backup_eligible, credential.backup_state),
            credential: to_json(&credential)?,
            created_at: now,
            last_used_at: now,
        })
    }

    /// Asks for a signature by any passkey of this site.
    pub fn authenticate(&self) -> Result<Asked, Refusal> {
        let (options, state) = self.0.start_discoverable_authentication()?;
        Ok(Asked { public_key: public_key(&options)?, state: to_json(&state)? })
    }

    /// Whether the answer is a signature by this passkey, for this site and this challenge, by a person who was verified.
    pub fn authenticated(&self, state: Value, passkey: &Passkey, answer: &Assertion) -> Result<Signed, Refusal> {
        // Web Authentication §7.2: "Verify that response.userHandle is present. Verify that the user account identified by response.userHandle
        // contains a credential record whose id equals credential.rawId."
        if answer.get_user_unique_id() != Some(passkey.user_handle.as_bytes().as_slice()) {
            return Err(Refusal::AnothersHandle);
        }
        if is_cross_origin(&answer.response.client_data_json) {
            return Err(Refusal::AnotherSite);
        }
        let state: DiscoverableAuthentication = from_json(state)?;
        let credential: Credential = from_json(passkey.credential.clone())?;
        let result = self.0.finish_discoverable_authentication_v2(answer, state, &credential)?;
        Ok(Signed { counter: result.counter(), backup_state: backup_state(result.backup_eligible(), result.backup_state()) })
    }
}

/// The name of the device or program that says it keeps a new passkey, if it is a known one.
#[must_use]
pub fn keeper(answer: &Registration) -> Option<&'static str> {
    keeper::of(&answer.response.attestation_object)
}

/// How the person proved who they are (RFC 8176): a key signed, after its authenticator had looked who holds it. A key that never leaves its
/// device is `hwk`, by the authenticator's own word; one that can be copied is `swk`, wherever it is now.
#[must_use]
pub fn amr(backup_state: BackupState) -> Vec<String> {
    let key = match backup_state {
        BackupState::DeviceBound => "hwk",
        BackupState::Eligible | BackupState::BackedUp => "swk",
    };
    [key, "pop", "user"].map(str::to_owned).to_vec()
}

// Web Authentication §7.2: "If C.crossOrigin is present and set to true, verify that the Relying Party expects this credential to be used
// within an iframe that is not same-origin with its ancestors." We never do; the library looks at it in new ones alone.
fn is_cross_origin(client_data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct ClientData {
        #[serde(default, rename = "crossOrigin")]
        cross_origin: bool,
    }
    serde_json::from_slice::<ClientData>(client_data).is_ok_and(|data| data.cross_origin)
}

const fn backup_state(eligible: bool, backed_up: bool) -> BackupState {
    match (eligible, backed_up) {
        (false, _) => BackupState::DeviceBound,
        (true, false) => BackupState::Eligible,
        (true, true) => BackupState::BackedUp,
    }
}

// The library wraps it as the call wants it: `{"publicKey": …}`.
fn public_key(options: &impl Serialize) -> Result<Value, Refusal> {
    let mut options = to_json(options)?;
    Ok(options.get_mut("publicKey").map(Value::take).unwrap_or_default())
}

fn to_json(value: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|reason| Refusal::Invalid(reason.to_string()))
}

fn from_json<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|reason| Refusal::Invalid(reason.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_host_has_passkeys() {
        assert!(["https://id.example.com", "http://localhost:8080"].iter().all(|issuer| RelyingParty::of(issuer).is_some()));
        assert!(
            ["https://10.0.0.1", "http://127.0.0.1:8080", "http://[::1]:1", "x"].iter().all(|issuer| RelyingParty::of(issuer).is_none())
        );
    }

    #[test]
    fn what_is_asked_is_what_we_want() {
        let party = RelyingParty::of("https://id.example.com:8443").unwrap();
        let known = [URL_SAFE_NO_PAD.encode([1, 2, 3])];
        let asked = party.register(Person { user_handle: Uuid::from_u128(7), name: "Somebody", known: &known }).unwrap().public_key;
        assert_eq!(asked["rp"]["id"], "id.example.com");
        assert_eq!(asked["user"]["id"], URL_SAFE_NO_PAD.encode(Uuid::from_u128(7).as_bytes()));
        assert_eq!(asked["attestation"], "none");
        assert_eq!(asked["excludeCredentials"][0]["id"], known[0]);
        assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(asked["authenticatorSelection"]["requireResidentKey"], true);
        assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(asked["timeout"], 300_000);
        let asked = party.authenticate().unwrap().public_key;
        assert_eq!((&asked["rpId"], &asked["userVerification"]), (&"id.example.com".into(), &"required".into()));
        assert_eq!(asked["allowCredentials"], Value::Array(vec![]));
    }

    #[test]
    fn the_methods_are_those_of_the_key() {
        let words = |state| amr(state).join(" ");
        assert_eq!(words(BackupState::DeviceBound), "hwk pop user");
        assert_eq!(words(BackupState::Eligible), "swk pop user");
        assert_eq!(words(BackupState::BackedUp), "swk pop user");
        assert_eq!(backup_state(false, true), BackupState::DeviceBound);
        assert_eq!(backup_state(true, false), BackupState::Eligible);
        assert_eq!(backup_state(true, true), BackupState::BackedUp);
    }

    #[test]
    fn a_page_inside_another_sites_page_is_seen() {
        assert!(is_cross_origin(br#"{"type":"webauthn.get","crossOrigin":true}"#));
        for data in [&br#"{"crossOrigin":false}"#[..], b"{}", b"no JSON"] {
            assert!(!is_cross_origin(data));
        }
    }
}
