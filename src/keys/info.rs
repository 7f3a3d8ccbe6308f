//! Keys as the operator sees them: no key material, and times that people read.

use serde::{Serialize, Serializer};

use super::rotation::{KeyState, Promote};
use crate::domain::{KeyPurpose, SigningAlg, Timestamp};

/// One key as `latchkey keys list` shows it; its JSON has RFC 3339 times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    pub kid: String,
    pub purpose: KeyPurpose,
    pub alg: SigningAlg,
    pub state: KeyState,
    #[serde(serialize_with = "as_rfc3339")]
    pub created_at: Timestamp,
    /// When it begins or began to sign; `None` while it waits for a rotation.
    #[serde(serialize_with = "as_rfc3339_or_null")]
    pub active_from: Option<Timestamp>,
    /// When it leaves the published set; `None` until its successor is chosen.
    #[serde(serialize_with = "as_rfc3339_or_null")]
    pub retire_at: Option<Timestamp>,
}

/// What a rotation did for one algorithm of a purpose, as `latchkey keys rotate` shows it; its JSON has RFC 3339 times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RotatedKey {
    pub purpose: KeyPurpose,
    pub alg: SigningAlg,
    /// The key that takes over.
    pub kid: String,
    #[serde(serialize_with = "as_rfc3339")]
    pub active_from: Timestamp,
    /// The key that signs until then.
    pub retiring: String,
    /// When that one leaves the published set.
    #[serde(serialize_with = "as_rfc3339")]
    pub retire_at: Timestamp,
}

impl RotatedKey {
    pub(super) fn of(purpose: KeyPurpose, step: Promote) -> Self {
        Self { purpose, alg: step.alg, kid: step.next, active_from: step.active_from, retiring: step.old, retire_at: step.retire_at }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn as_rfc3339<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.rfc3339())
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn as_rfc3339_or_null<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    moment.map(Timestamp::rfc3339).serialize(serializer)
}
