//! Whether the claims of a client assertion are those of this client, for this server, and for now (RFC 7523 §3). Its signature and
//! whether it was used before are looked at elsewhere.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::protocol::client_assertion::{ClientAssertion, NumericDate};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::store::ClientRecord;

/// How far the client's clock may be from ours.
const SKEW: Duration = Duration::from_secs(30);
/// How far ahead an assertion may expire: until then its `jti` has to be remembered.
const LONGEST: Duration = Duration::from_hours(1);

/// Decides over an assertion for `client`; `audiences` are the names that this server answers to. Gives the moment from which its time
/// is over for good, until which its `jti` must be remembered.
///
/// # Errors
/// `invalid_client` that names the claim, what was expected, and never the claim's own value.
pub fn check(assertion: &ClientAssertion, client: &ClientRecord, audiences: &[&str], now: Timestamp) -> Result<Timestamp, OAuthError> {
    let refuse = |description: &'static str| Err(OAuthError::new(ErrorCode::InvalidClient, description));
    let claims = &assertion.claims;
    if let Some(registered) = client.metadata.token_endpoint_auth_signing_alg
        && registered != assertion.alg
    {
        return Err(OAuthError::new(ErrorCode::InvalidClient, format!("client_assertion must be signed with {registered}, as registered")));
    }
    // RFC 7523 §3: "The JWT MUST contain an "iss" (issuer) claim"; "For client authentication, the subject MUST be the "client_id" of the
    // OAuth client." OpenID Connect Core §9: both are the client_id.
    if [&claims.iss, &claims.sub].iter().any(|id| id.as_str() != client.id.as_str()) {
        return refuse("iss and sub of client_assertion must both be the client_id");
    }
    // RFC 7523 §3: "The JWT MUST contain an "aud" (audience) claim containing a value that identifies the authorization server as an
    // intended audience."
    if !audiences.iter().any(|audience| claims.aud.names(audience)) {
        return refuse("aud of client_assertion must be the issuer, or the URL of the token endpoint or of the endpoint that is called");
    }
    let moment = |date: NumericDate| Timestamp::from_seconds(date.0);
    let over = moment(claims.exp).plus(SKEW);
    // RFC 7523 §3: "The authorization server MUST reject any JWT with an expiration time that has passed, subject to allowable clock skew".
    if over <= now {
        return refuse("client_assertion has expired; look at the clock of the machine that made it");
    }
    // "The authorization server may reject JWTs with an "exp" claim value that is unreasonably far in the future."
    if over > now.plus(LONGEST).plus(SKEW).plus(SKEW) {
        return refuse("exp of client_assertion is more than an hour ahead");
    }
    // "… reject JWTs with an "iat" claim value that is unreasonably far in the past" is left to `exp`.
    if [claims.iat, claims.nbf].into_iter().flatten().any(|date| moment(date) > now.plus(SKEW)) {
        return refuse("iat or nbf of client_assertion is in the future; look at the clock of the machine that made it");
    }
    Ok(over)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::SigningAlg;

    const NOW: i64 = 1_767_225_600;
    const NAMES: &[&str] = &["https://id.example", "https://id.example/token"];

    fn decide(name: &str, value: Value, registered: Option<SigningAlg>) -> Result<Timestamp, String> {
        let mut claims = json!({"iss": "app", "sub": "app", "aud": NAMES[0], "exp": NOW + 60, "iat": NOW, "jti": "1"});
        claims[name] = value;
        let text = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let now = Timestamp::from_seconds(NOW);
        let mut client = ClientRecord::new("app".parse().unwrap(), "App".to_owned(), Duration::from_hours(1), now);
        client.metadata.token_endpoint_auth_signing_alg = registered;
        check(&ClientAssertion::parse(&text).unwrap(), &client, NAMES, now).map_err(|error| error.description.into_owned())
    }

    #[test]
    fn each_claim_must_be_right() {
        let skew = i64::try_from(SKEW.as_secs()).unwrap();
        for (name, good) in [
            ("aud", json!(NAMES[1])),
            ("aud", json!(["https://other.example", NAMES[0]])),
            ("exp", json!(NOW + 3_600)),
            ("exp", json!(NOW + 3_600 + skew)),
            ("exp", json!(NOW - skew + 1)),
            ("iat", json!(NOW + skew)),
            ("iat", json!(NOW - 1_000_000)),
            ("nbf", json!(NOW + skew)),
        ] {
            assert!(decide(name, good.clone(), None).is_ok(), "{name} {good}");
        }
        for (name, bad, why) in [
            ("iss", json!("other"), "iss and sub"),
            ("sub", json!("App"), "iss and sub"),
            ("aud", json!("https://id.example/"), "aud"),
            ("aud", json!("https://id.example/token/../x"), "aud"),
            ("aud", json!("https://id.example.evil.example"), "aud"),
            ("aud", json!([]), "aud"),
            ("aud", json!(""), "aud"),
            ("exp", json!(NOW - skew), "has expired"),
            ("exp", json!(i64::MIN), "has expired"),
            ("exp", json!(NOW + 3_600 + skew + 1), "an hour ahead"),
            ("exp", json!(i64::MAX), "an hour ahead"),
            ("iat", json!(NOW + skew + 1), "in the future"),
            ("iat", json!(i64::MAX), "in the future"),
            ("nbf", json!(NOW + skew + 1), "in the future"),
        ] {
            let refusal = decide(name, bad.clone(), None).unwrap_err();
            assert!(refusal.contains(why), "{name} {bad}: {refusal}");
        }
    }

    #[test]
    fn a_registered_algorithm_is_the_only_one() {
        assert!(decide("jti", json!("2"), Some(SigningAlg::Es256)).is_ok());
        assert!(decide("jti", json!("2"), Some(SigningAlg::Ps256)).unwrap_err().contains("PS256"));
    }

    #[test]
    fn a_jti_is_remembered_as_long_as_its_assertion_could_be_used() {
        let over = decide("exp", json!(NOW + 60), None).unwrap();
        assert_eq!(over, Timestamp::from_seconds(NOW + 60).plus(SKEW));
    }
}
