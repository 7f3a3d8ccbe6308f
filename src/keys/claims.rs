//! Claims: checked against the table of kinds, and what a caller gets once all of them hold.

use serde_json::{Map, Value};

use super::TokenRefusal;
use super::kinds::{CLAIM_TYPES, ClaimType, Rules};
use crate::domain::Timestamp;

/// How far another replica's clock may be ahead of ours, in seconds. It widens `iat` and `nbf` alone, never `exp`: a token that
/// one replica has just signed must not be refused by the next because its clock is a moment behind.
const REPLICA_SKEW: i64 = 5;

/// The claims of a token whose signature, type, issuer, times and required claims have been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedClaims(Map<String, Value>);

impl VerifiedClaims {
    /// `sub`; every kind requires it.
    #[must_use]
    pub fn sub(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// `aud`, as the one or several texts that it is.
    #[must_use]
    pub fn audience(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.seconds("exp").unwrap_or(0))
    }

    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.seconds("iat").unwrap_or(0))
    }

    #[must_use]
    pub fn auth_time(&self) -> Option<Timestamp> {
        self.seconds("auth_time").map(Timestamp::from_seconds)
    }

    /// `jti`; access tokens always have one.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.text("jti")
    }

    /// A claim that is a text, such as `client_id`, `scope`, `sid` or `nonce`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// All of them.
    #[must_use]
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Checks claims whose signature is known to be right.
    pub(super) fn check(claims: Map<String, Value>, rules: &Rules, issuer: &str, now: Timestamp) -> Result<Self, TokenRefusal> {
        check_shape(&claims, rules, issuer)?;
        let claims = Self(claims);
        // RFC 7519 §4.1.4: the current date/time MUST be before the expiration date/time.
        if !rules.may_be_expired && claims.seconds("exp").is_none_or(|exp| exp <= now.seconds()) {
            return Err(TokenRefusal::Expired);
        }
        // RFC 7519 §4.1.5: the current date/time MUST be after or equal to the not-before date/time.
        let latest_start = now.seconds().saturating_add(REPLICA_SKEW);
        if ["nbf", "iat"].iter().filter_map(|name| claims.seconds(name)).any(|start| start > latest_start) {
            return Err(TokenRefusal::NotYetValid);
        }
        Ok(claims)
    }

    fn seconds(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }
}

/// What must hold of a token's claims: types, required claims, issuer. Asked whenever one is read, and in tests when one is made.
pub(super) fn check_shape(claims: &Map<String, Value>, rules: &Rules, issuer: &str) -> Result<(), TokenRefusal> {
    for (name, value) in claims {
        match CLAIM_TYPES.iter().find(|(known, _)| known == name) {
            Some((name, claim_type)) if !claim_type.fits(value) => return Err(TokenRefusal::BadClaim(name)),
            _ => {}
        }
    }
    if let Some(name) = rules.required.iter().find(|name| !claims.contains_key(**name)) {
        return Err(TokenRefusal::MissingClaim(name));
    }
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(TokenRefusal::WrongIssuer);
    }
    Ok(())
}

impl ClaimType {
    fn fits(self, value: &Value) -> bool {
        let texts = |values: &Vec<Value>| values.iter().all(Value::is_string);
        match self {
            Self::Text => value.is_string(),
            Self::Time => value.is_i64(),
            Self::Audience => value.is_string() || value.as_array().is_some_and(|several| !several.is_empty() && texts(several)),
            Self::Texts => value.as_array().is_some_and(texts),
            Self::Numbers => value.as_array().is_some_and(|several| several.iter().all(Value::is_u64)),
            Self::Flag => value.is_boolean(),
            Self::Object => value.is_object(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::TokenKind;
    use super::*;

    const ISSUER: &str = "https://id.example.org";
    const NOW: i64 = 1_767_225_600;

    fn access() -> Value {
        json!({"iss": ISSUER, "sub": "s", "aud": "app", "client_id": "app", "exp": NOW + 60, "iat": NOW, "jti": "c_1"})
    }

    fn check(kind: TokenKind, claims: Value) -> Result<VerifiedClaims, TokenRefusal> {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        VerifiedClaims::check(claims, kind.rules(), ISSUER, Timestamp::from_seconds(NOW))
    }

    fn with(name: &str, value: Value) -> Result<VerifiedClaims, TokenRefusal> {
        let mut claims = access();
        claims[name] = value;
        check(TokenKind::AccessToken, claims)
    }

    #[test]
    fn right_claims_are_read() {
        let claims = with("aud", json!(["app", "api"])).unwrap();
        assert_eq!(claims.audience(), ["app", "api"]);
        assert_eq!(check(TokenKind::AccessToken, access()).unwrap().audience(), ["app"]);
        assert_eq!((claims.sub(), claims.jti(), claims.text("client_id"), claims.auth_time()), ("s", Some("c_1"), Some("app"), None));
        assert_eq!((claims.issued_at().seconds(), claims.expires_at().seconds()), (NOW, NOW + 60));
    }

    #[test]
    fn each_required_claim_is_required() {
        for kind in [TokenKind::AccessToken, TokenKind::IdToken, TokenKind::IdTokenHint] {
            for name in kind.rules().required {
                let mut claims = access();
                claims.as_object_mut().unwrap().remove(*name);
                assert_eq!(check(kind, claims), Err(TokenRefusal::MissingClaim(name)));
            }
        }
    }

    #[test]
    fn a_wrongly_typed_claim_is_never_taken_for_an_absent_one() {
        let fits = |name, value: &Value| match name {
            "amr" | "permissions" => *value == json!([]),
            "privilege_ids" => *value == json!([]) || *value == json!([1]),
            "act" | "events" | "cloud_events" => value.is_object(),
            _ => false,
        };
        let strange = [json!(null), json!([]), json!({}), json!([1]), json!(1.5), json!(u64::MAX), json!({"a": "b"})];
        for (name, _) in CLAIM_TYPES {
            for value in strange.iter().filter(|value| !fits(*name, value)) {
                assert_eq!(with(name, value.clone()), Err(TokenRefusal::BadClaim(name)), "{name} {value}");
            }
        }
        // CVE-2026-25537: `exp` as a text was taken as no `exp` at all.
        assert_eq!(with("exp", json!((NOW + 60).to_string())), Err(TokenRefusal::BadClaim("exp")));
        assert_eq!(with("aud", json!(["app", 1])), Err(TokenRefusal::BadClaim("aud")));
        assert_eq!(with("sub", json!(1)), Err(TokenRefusal::BadClaim("sub")));
        assert_eq!(with("email_verified", json!("true")), Err(TokenRefusal::BadClaim("email_verified")));
    }

    #[test]
    fn the_issuer_is_compared_exactly() {
        for other in ["https://id.example.org/", "https://ID.example.org", "https://id.example.org.evil.example", ""] {
            assert_eq!(with("iss", json!(other)), Err(TokenRefusal::WrongIssuer));
        }
    }

    #[test]
    fn times_are_kept_to_the_second() {
        assert!(with("exp", json!(NOW + 1)).is_ok());
        assert_eq!(with("exp", json!(NOW)), Err(TokenRefusal::Expired));
        assert_eq!(with("exp", json!(i64::MIN)), Err(TokenRefusal::Expired));
        for name in ["iat", "nbf"] {
            assert!(with(name, json!(NOW + REPLICA_SKEW)).is_ok());
            assert_eq!(with(name, json!(NOW + REPLICA_SKEW + 1)), Err(TokenRefusal::NotYetValid));
        }
    }

    #[test]
    fn only_a_hint_may_have_expired() {
        let mut claims = access();
        claims["exp"] = json!(NOW - 1_000_000);
        claims["iat"] = json!(NOW - 1_003_600);
        assert_eq!(check(TokenKind::IdToken, claims.clone()), Err(TokenRefusal::Expired));
        assert!(check(TokenKind::IdTokenHint, claims).is_ok());
    }
}
