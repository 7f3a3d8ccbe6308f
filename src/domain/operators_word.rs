//! What the operator has said of a client that registered itself, kept apart from what the client says.

use serde::{Deserialize, Serialize};

/// Kept as one JSON text beside the client's own metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperatorsWord {
    /// The client registered with the operator's initial access token (RFC 7591 §3). That one is set later makes nobody vouched for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vouched: bool,
}
