//! Wrong tokens, each really signed or forged the way an attacker would, and what becomes of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const ISSUER: &str = "https://id.example.org";
const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// One active key of each algorithm, made once for all tests: RSA keys take their time.
fn key_set() -> &'static KeySet {
    static SET: LazyLock<KeySet> = LazyLock::new(new_set);
    &SET
}

/// Another server's.
fn strangers_set() -> &'static KeySet {
    static SET: LazyLock<KeySet> = LazyLock::new(new_set);
    &SET
}

fn new_set() -> KeySet {
    KeySet::new(SigningAlg::ALL.iter().map(|&alg| entry(alg, 1)).collect())
}

fn entry(alg: SigningAlg, generation: i64) -> (KeyTimes, Arc<KeyPair>) {
    let (pair, _) = KeyPair::generate(alg).unwrap();
    let kid = pair.kid().to_owned();
    (KeyTimes { kid, alg, generation, created_at: NOW, active_from: Some(NOW), retire_at: None }, Arc::new(pair))
}

fn access_claims() -> Value {
    let now = NOW.seconds();
    json!({"iss": ISSUER, "sub": "s", "aud": "app", "client_id": "app", "scope": "openid", "exp": now + 3_600, "iat": now, "jti": "c_1"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = access_claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = access_claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verify(set: &KeySet, token: &str) -> Result<VerifiedClaims, TokenRefusal> {
    verify_as(set, TokenKind::AccessToken, token)
}

fn verify_as(set: &KeySet, kind: TokenKind, token: &str) -> Result<VerifiedClaims, TokenRefusal> {
    set.verify(kind, &UnverifiedToken::parse(token)?, ISSUER, NOW)
}

fn pair(set: &KeySet, alg: SigningAlg) -> &KeyPair {
    set.pairs.iter().find(|pair| pair.alg() == alg).unwrap()
}

/// Claims from two sources, which may name the same.
#[derive(Serialize)]
struct Twice {
    #[serde(flatten)]
    claims: Value,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// Any claims, rightly signed by the set's own key.
fn signed(set: &KeySet, typ: &str, claims: &Value) -> String {
    pair(set, SigningAlg::Es256).sign(typ, claims.to_string().as_bytes()).unwrap()
}

/// Any header with any signature.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_token_of_ours_is_taken_in_every_algorithm() {
    let set = key_set();
    for &alg in SigningAlg::ALL {
        let token = set.sign(TokenKind::AccessToken, alg, &access_claims(), ISSUER, NOW).unwrap();
        assert_eq!(Value::Object(verify(set, &token).unwrap().as_map().clone()), access_claims());
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
        assert_eq!(header, json!({"alg": alg.as_str(), "kid": pair(set, alg).kid(), "typ": "at+jwt"}));
    }
    // RFC 9068 §4 takes the long form of the type too, and media types have no case.
    for typ in ["application/at+jwt", "AT+JWT"] {
        assert!(verify(set, &signed(set, typ, &access_claims())).is_ok(), "{typ}");
    }
}

#[test]
fn another_kind_of_token_is_refused() {
    let set = key_set();
    let id_token = set.sign(TokenKind::IdToken, SigningAlg::Rs256, &access_claims(), ISSUER, NOW).unwrap();
    assert!(verify_as(set, TokenKind::IdToken, &id_token).is_ok());
    assert_eq!(verify(set, &id_token), Err(TokenRefusal::WrongType));
    let access_token = set.sign(TokenKind::AccessToken, SigningAlg::Rs256, &access_claims(), ISSUER, NOW).unwrap();
    assert_eq!(verify_as(set, TokenKind::IdToken, &access_token), Err(TokenRefusal::WrongType));
    assert_eq!(verify_as(set, TokenKind::IdTokenHint, &access_token), Err(TokenRefusal::WrongType));
    for typ in ["", "at+jwt ", "logout+jwt", "application/jwt"] {
        assert_eq!(verify(set, &signed(set, typ, &access_claims())), Err(TokenRefusal::WrongType), "{typ}");
    }
    // No `typ` at all, rightly signed: sign by hand, as no mint of ours can.
    let kid = pair(set, SigningAlg::Es256).kid();
    let message = forged(&json!({"alg": "ES256", "kid": kid}), &access_claims(), b"");
    assert_eq!(verify(set, &resigned(set, &message)), Err(TokenRefusal::WrongType));
}

/// The header and claims of `token` with a right signature by the set's P-256 key, whatever the header says.
fn resigned(set: &KeySet, token: &str) -> String {
    let message = token.rsplit_once('.').unwrap().0;
    let signature = pair(set, SigningAlg::Es256).sign_bytes(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn none_and_hmac_with_a_public_key_are_refused() {
    let set = key_set();
    for &alg in SigningAlg::ALL {
        let key = pair(set, alg);
        for none in ["none", "None", "NONE", "nOnE"] {
            assert_eq!(
                verify(set, &forged(&json!({"alg": none, "kid": key.kid(), "typ": "at+jwt"}), &access_claims(), b"")),
                Err(TokenRefusal::WrongAlgorithm)
            );
        }
        // The public key's texts and JWK as the secret of HS256, really signed.
        let jwk = key.public_jwk();
        let member = if matches!(alg, SigningAlg::Rs256 | SigningAlg::Ps256) { &jwk["n"] } else { &jwk["x"] };
        let member = member.as_str().unwrap();
        for secret in [member.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(member).unwrap(), jwk.to_string().into_bytes()] {
            let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
            (header.kid, header.typ) = (Some(key.kid().to_owned()), Some("at+jwt".to_owned()));
            let token = jsonwebtoken::encode(&header, &access_claims(), &jsonwebtoken::EncodingKey::from_secret(&secret)).unwrap();
            assert_eq!(verify(set, &token), Err(TokenRefusal::WrongAlgorithm));
        }
    }
}

#[test]
fn the_algorithm_is_the_keys() {
    let set = key_set();
    for &alg in SigningAlg::ALL {
        let token = set.sign(TokenKind::AccessToken, alg, &access_claims(), ISSUER, NOW).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap();
        for &said in SigningAlg::ALL.iter().filter(|said| **said != alg) {
            // The header names another algorithm for the same key …
            let header = json!({"alg": said.as_str(), "kid": pair(set, alg).kid(), "typ": "at+jwt"});
            assert_eq!(verify(set, &forged(&header, &access_claims(), &signature)), Err(TokenRefusal::WrongAlgorithm));
            // … or another key, of the algorithm that it names.
            let header = json!({"alg": said.as_str(), "kid": pair(set, said).kid(), "typ": "at+jwt"});
            assert_eq!(verify(set, &forged(&header, &access_claims(), &signature)), Err(TokenRefusal::BadSignature));
        }
        for said in ["PS384", "RS512", "ES384", "", "rs256"] {
            let header = json!({"alg": said, "kid": pair(set, alg).kid(), "typ": "at+jwt"});
            assert_eq!(verify(set, &forged(&header, &access_claims(), &signature)), Err(TokenRefusal::WrongAlgorithm), "{said}");
        }
    }
}

#[test]
fn another_key_is_unknown_or_its_signature_wrong() {
    let (set, stranger) = (key_set(), strangers_set());
    for &alg in SigningAlg::ALL {
        let token = stranger.sign(TokenKind::AccessToken, alg, &access_claims(), ISSUER, NOW).unwrap();
        assert_eq!(verify(set, &token), Err(TokenRefusal::UnknownKey));
        let signature = URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap();
        let header = json!({"alg": alg.as_str(), "kid": pair(set, alg).kid(), "typ": "at+jwt"});
        assert_eq!(verify(set, &forged(&header, &access_claims(), &signature)), Err(TokenRefusal::BadSignature));
        // A key inside the header is no key of ours.
        let header = json!({"alg": alg.as_str(), "typ": "at+jwt", "jwk": pair(stranger, alg).public_jwk()});
        assert_eq!(verify(set, &forged(&header, &access_claims(), &signature)), Err(TokenRefusal::UnknownKey));
    }
}

#[test]
fn a_changed_or_truncated_token_is_refused() {
    let set = key_set();
    for &alg in SigningAlg::ALL {
        let token = set.sign(TokenKind::AccessToken, alg, &access_claims(), ISSUER, NOW).unwrap();
        let mut refusals = BTreeSet::new();
        for length in 0..token.len() {
            let refusal = verify(set, &token[..length]).expect_err("a part of a token is no token");
            refusals.insert(format!("{refusal:?}"));
        }
        assert_eq!(refusals.into_iter().collect::<Vec<_>>(), ["BadSignature", "Malformed"]);
        let parts: Vec<&str> = token.split('.').collect();
        let other = URL_SAFE_NO_PAD.encode(with("sub", json!("somebody else")).to_string());
        assert_eq!(verify(set, &format!("{}.{other}.{}", parts[0], parts[2])), Err(TokenRefusal::BadSignature));
    }
}

#[test]
fn a_critical_header_is_refused() {
    let set = key_set();
    let kid = pair(set, SigningAlg::Es256).kid();
    let header = json!({"alg": "ES256", "kid": kid, "typ": "at+jwt", "crit": ["b64"], "b64": false});
    assert_eq!(verify(set, &resigned(set, &forged(&header, &access_claims(), b""))), Err(TokenRefusal::Malformed));
}

#[test]
fn rightly_signed_claims_are_still_checked() {
    let set = key_set();
    let now = NOW.seconds();
    for (claims, refusal) in [
        (with("iss", json!("https://other.example.org")), TokenRefusal::WrongIssuer),
        (with("exp", json!(now)), TokenRefusal::Expired),
        (with("exp", json!((now + 60).to_string())), TokenRefusal::BadClaim("exp")),
        (with("exp", Value::Null), TokenRefusal::BadClaim("exp")),
        (with("iat", json!(now + 60)), TokenRefusal::NotYetValid),
        (with("nbf", json!(now + 60)), TokenRefusal::NotYetValid),
        (with("aud", json!([])), TokenRefusal::BadClaim("aud")),
        (without("exp"), TokenRefusal::MissingClaim("exp")),
        (without("jti"), TokenRefusal::MissingClaim("jti")),
        (without("aud"), TokenRefusal::MissingClaim("aud")),
        (json!("no object"), TokenRefusal::Malformed),
    ] {
        assert_eq!(verify(set, &signed(set, "at+jwt", &claims)), Err(refusal), "{claims}");
    }
    let long = signed(set, "at+jwt", &with("scope", json!("x".repeat(16_384))));
    assert_eq!(verify(set, &long), Err(TokenRefusal::Malformed));
}

#[test]
fn what_would_be_refused_is_never_signed() {
    let set = key_set();
    let sign = |claims: &Value| set.sign(TokenKind::AccessToken, SigningAlg::EdDsa, claims, ISSUER, NOW).unwrap_err().to_string();
    assert_eq!(sign(&without("jti")), "a token without a right `jti` was to be signed");
    assert_eq!(sign(&with("nonce", Value::Null)), "a token without a right `nonce` was to be signed");
    assert_eq!(sign(&with("iss", json!("https://other.example.org"))), "a token without a right `iss` was to be signed");
    assert_eq!(sign(&json!([])), "a token without a right `object of claims` was to be signed");
    let sub = Map::from_iter([("sub".to_owned(), json!("another"))]);
    let twice = Twice { claims: access_claims(), more: sub };
    let refused = set.sign(TokenKind::AccessToken, SigningAlg::EdDsa, &twice, ISSUER, NOW).unwrap_err();
    assert_eq!(refused.to_string(), "a token without a right `object of claims` was to be signed");
    let empty = KeySet::new(Vec::new());
    let refused = empty.sign(TokenKind::AccessToken, SigningAlg::EdDsa, &access_claims(), ISSUER, NOW).unwrap_err();
    assert_eq!(refused.to_string(), "there is no EdDSA key to sign with now");
}

#[test]
fn a_key_past_its_retirement_is_unknown() {
    let (mut times, pair) = entry(SigningAlg::Es256, 1);
    times.retire_at = Some(NOW.plus(std::time::Duration::from_secs(10)));
    let set = KeySet::new(vec![(times, pair)]);
    let token = signed(&set, "at+jwt", &access_claims());
    let at = |seconds| {
        let now = Timestamp::from_seconds(NOW.seconds() + seconds);
        set.verify(TokenKind::AccessToken, &UnverifiedToken::parse(&token).unwrap(), ISSUER, now)
    };
    assert!(at(9).is_ok());
    assert_eq!(at(10), Err(TokenRefusal::UnknownKey));
}

#[test]
fn the_published_set_has_public_members_only_and_a_tag_of_its_own() {
    let set = KeySet::new(vec![
        entry(SigningAlg::EdDsa, 2),
        entry(SigningAlg::Rs256, 1),
        entry(SigningAlg::EdDsa, 1),
        entry(SigningAlg::Es256, 1),
    ]);
    let jwks = set.jwks();
    let document: Value = serde_json::from_str(&jwks.body).unwrap();
    let keys = document["keys"].as_array().unwrap();
    assert_eq!(keys.iter().map(|key| key["alg"].as_str().unwrap()).collect::<Vec<_>>(), ["RS256", "ES256", "EdDSA", "EdDSA"]);
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
        // Any library reads it, and verifies with it.
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
        assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), key["kid"].as_str().unwrap());
    }
    assert!(jwks.etag.starts_with('"') && jwks.etag.ends_with('"') && jwks.etag.len() == 45, "{}", jwks.etag);
    assert_ne!(jwks.etag, key_set().jwks().etag);
}

#[test]
fn a_key_is_listed_with_readable_times() {
    let (times, pair) = entry(SigningAlg::Es256, 1);
    let kid = times.kid.clone();
    let list = KeySet::new(vec![(times, pair)]).list(KeyPurpose::Signin, NOW);
    let time = "2026-01-01T00:00:00Z";
    let expected = json!([{
        "kid": kid, "purpose": "signin", "alg": "ES256", "state": "active", "created_at": time, "active_from": time, "retire_at": null,
    }]);
    assert_eq!(serde_json::to_value(list).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_payload_panics(payload in prop::collection::vec(any::<u8>(), 0..200), typ in "[a-zA-Z+/]{0,12}") {
        let (times, pair) = entry(SigningAlg::Es256, 1);
        let set = KeySet::new(vec![(times, pair)]);
        let token = set.pairs[0].sign(&typ, &payload).unwrap();
        prop_assert!(verify(&set, &token).is_err());
    }
}
