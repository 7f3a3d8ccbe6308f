//! What the operator has said of a client that registered itself, kept apart from what the client says.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Kept as one JSON text beside the client's own metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OperatorsWord {
    /// The client registered with the operator's initial access token (RFC 7591 §3). That one is set later makes nobody vouched for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vouched: bool,
    /// What commands have set: the client cannot change it (RFC 7592) until the operator lets it go.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<Held>,
}

/// A part of a registration that an operator can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    ClientName,
    RedirectUris,
    PostLogoutRedirectUris,
    BackchannelLogoutUri,
    /// How it proves itself, its keys among it.
    TokenEndpointAuthMethod,
    GrantTypes,
    Scope,
    RequirePushedAuthorizationRequests,
    Pkce,
    ClaimsProfile,
    SubjectType,
    SigningAlg,
    AccessTokenLifetime,
}
