//! The one table of tokens: for each kind whose it is (issuer and keys), its media type and what it must carry. Every check
//! reads it whole; a mint takes the type from it, and in a build with debug assertions it is held to the rest.
//!
//! The kinds of one purpose differ in their type. Those of different purposes differ in issuer and keys, so that one can never pass for
//! the other, even with a consumer that looks at nothing but the signature.

use crate::domain::{KeyPurpose, SigningAlg};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// RFC 9068: what an app shows to userinfo and to resource servers.
    AccessToken,
    /// OpenID Connect Core §2.
    IdToken,
    /// An ID token that comes back as `id_token_hint` (Core §3.1.2.1, RP-Initiated Logout §2). Signed as an ID token.
    IdTokenHint,
    /// Back-Channel Logout §2.4: tells an app that a session has ended. We never take one back.
    LogoutToken,
    /// A signed userinfo response (Core §5.3.2). Without `exp` and `iat` it can never come back as one of the others.
    UserInfo,
    /// What an app shows to a resource server for one asset: an access token (RFC 9068) of the issuer for assets.
    AssetToken,
    /// The proof of a grant, for whoever wants to see one; it gives access to nothing.
    GrantReceipt,
}

/// One row of the table.
pub(super) struct Rules {
    /// Whose issuer and keys.
    pub purpose: KeyPurpose,
    /// The header `typ` as it is minted.
    pub typ: &'static str,
    /// The header `typ` as it may come back; compared without case, as media types are.
    pub typ_accepted: &'static [&'static str],
    /// The claims that must be there, each of its right JSON type. `iss` is always among them, and `exp` where a token may come back.
    pub required: &'static [&'static str],
    /// Whether one that has expired is accepted.
    pub may_be_expired: bool,
}

impl TokenKind {
    pub(super) const fn rules(self) -> &'static Rules {
        match self {
            Self::AccessToken => &Rules {
                purpose: KeyPurpose::Signin,
                // RFC 9068 §2.1: the header is `at+jwt`; §4: `at+jwt` or `application/at+jwt`, all else is rejected.
                typ: "at+jwt",
                typ_accepted: &["at+jwt", "application/at+jwt"],
                // RFC 9068 §2.2: iss, exp, aud, sub, client_id, iat and jti are REQUIRED.
                required: &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"],
                may_be_expired: false,
            },
            Self::IdToken => &Rules {
                purpose: KeyPurpose::Signin,
                typ: "JWT",
                typ_accepted: &["JWT"],
                // OpenID Connect Core §2: iss, sub, aud, exp and iat are REQUIRED.
                required: &["iss", "sub", "aud", "exp", "iat"],
                may_be_expired: false,
            },
            Self::IdTokenHint => &Rules {
                purpose: KeyPurpose::Signin,
                typ: "JWT",
                typ_accepted: &["JWT"],
                required: &["iss", "sub", "aud", "exp", "iat"],
                // RP-Initiated Logout §2: the OP SHOULD accept ID Tokens when the RP identified … even when the `exp` time has passed.
                may_be_expired: true,
            },
            Self::LogoutToken => &Rules {
                purpose: KeyPurpose::Signin,
                // Back-Channel Logout §2.4: "It is RECOMMENDED that Logout Tokens be explicitly typed."
                typ: "logout+jwt",
                typ_accepted: &["logout+jwt"],
                // Back-Channel Logout §2.4: iss, aud, iat, exp, jti and events are REQUIRED, and one of sub and sid; here both.
                required: &["iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"],
                may_be_expired: false,
            },
            Self::UserInfo => &Rules {
                purpose: KeyPurpose::Signin,
                typ: "JWT",
                // Nobody shows one to us.
                typ_accepted: &[],
                // OpenID Connect Core §5.3.2: "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members."
                required: &["iss", "aud", "sub"],
                may_be_expired: false,
            },
            Self::AssetToken => &Rules {
                purpose: KeyPurpose::Assets,
                typ: "at+jwt",
                typ_accepted: &["at+jwt", "application/at+jwt"],
                // RFC 9068 §2.2, and what consumers of asset tokens read.
                required: &[
                    "iss",
                    "sub",
                    "aud",
                    "exp",
                    "nbf",
                    "iat",
                    "jti",
                    "client_id",
                    "asset",
                    "permissions",
                    "cloud_events",
                    "contract_address",
                    "privilege_ids",
                ],
                may_be_expired: false,
            },
            Self::GrantReceipt => &Rules {
                purpose: KeyPurpose::Assets,
                typ: "grant-receipt+jwt",
                typ_accepted: &["grant-receipt+jwt", "application/grant-receipt+jwt"],
                required: &["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "asset", "permissions", "cloud_events", "source"],
                // It proves what was granted, also when that is over.
                may_be_expired: true,
            },
        }
    }
}

/// The algorithms of a purpose: for each one there is a line of keys.
pub(super) const fn algorithms(purpose: KeyPurpose) -> &'static [SigningAlg] {
    match purpose {
        KeyPurpose::Signin => SigningAlg::ALL,
        // What every consumer of asset tokens knows, and the only one that some know.
        KeyPurpose::Assets => &[SigningAlg::Rs256],
    }
}

/// The JSON type of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimType {
    Text,
    /// Whole seconds since 1970 (RFC 7519 §2 allows fractions; none of ours has one).
    Time,
    /// One text, or an array of at least one (RFC 7519 §4.1.3).
    Audience,
    Texts,
    /// An array of whole numbers that are not negative.
    Numbers,
    Flag,
    Object,
}

/// The claims whose type is checked wherever they stand, required or not: a wrongly typed claim is never taken for an absent one.
pub(super) const CLAIM_TYPES: &[(&str, ClaimType)] = &[
    ("iss", ClaimType::Text),
    ("sub", ClaimType::Text),
    ("aud", ClaimType::Audience),
    ("exp", ClaimType::Time),
    ("nbf", ClaimType::Time),
    ("iat", ClaimType::Time),
    ("jti", ClaimType::Text),
    ("auth_time", ClaimType::Time),
    ("client_id", ClaimType::Text),
    ("azp", ClaimType::Text),
    ("scope", ClaimType::Text),
    ("nonce", ClaimType::Text),
    ("acr", ClaimType::Text),
    ("amr", ClaimType::Texts),
    ("sid", ClaimType::Text),
    ("events", ClaimType::Object),
    ("at_hash", ClaimType::Text),
    ("c_hash", ClaimType::Text),
    ("provider_id", ClaimType::Text),
    ("email", ClaimType::Text),
    ("email_verified", ClaimType::Flag),
    ("ethereum_address", ClaimType::Text),
    ("asset", ClaimType::Text),
    ("act", ClaimType::Object),
    ("permissions", ClaimType::Texts),
    ("cloud_events", ClaimType::Object),
    ("contract_address", ClaimType::Text),
    ("token_id", ClaimType::Text),
    ("privilege_ids", ClaimType::Numbers),
    ("source", ClaimType::Text),
    ("purpose", ClaimType::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_required_claim_has_a_type() {
        for kind in [
            TokenKind::AccessToken,
            TokenKind::IdToken,
            TokenKind::IdTokenHint,
            TokenKind::LogoutToken,
            TokenKind::AssetToken,
            TokenKind::GrantReceipt,
        ] {
            let rules = kind.rules();
            for name in rules.required {
                assert!(CLAIM_TYPES.iter().any(|(known, _)| known == name), "{kind:?} {name}");
            }
            assert!(rules.required.contains(&"exp") && rules.required.contains(&"iss"), "{kind:?}");
            assert!(rules.typ_accepted.contains(&rules.typ), "{kind:?}");
        }
    }

    #[test]
    fn tokens_of_one_purpose_share_no_type() {
        let kinds = [TokenKind::AccessToken, TokenKind::IdToken, TokenKind::LogoutToken, TokenKind::AssetToken, TokenKind::GrantReceipt]
            .map(TokenKind::rules);
        for (place, kind) in kinds.iter().enumerate() {
            for other in kinds[place + 1..].iter().filter(|other| other.purpose == kind.purpose) {
                assert!(kind.typ_accepted.iter().all(|typ| !other.typ_accepted.contains(typ)));
            }
        }
    }
}
