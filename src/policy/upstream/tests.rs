//! Each claim right, each claim wrong.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_767_225_600;
const SKEW_SECONDS: i64 = 60;

fn decide_for(kind: UpstreamKind, anew: bool, changes: &[(&str, Value)]) -> Result<Person, Refusal> {
    let mut claims = json!({"iss": "https://id.example", "sub": "248289761001", "aud": "us", "exp": NOW + 60, "iat": NOW, "nonce": "n"});
    for (name, value) in changes {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(*name)),
            value => claims[*name] = value.clone(),
        }
    }
    let text = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let now = Timestamp::from_seconds(NOW);
    let access_token = Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let asked = Asked {
        kind,
        issuer: "https://id.example",
        client_id: "us",
        nonce: "n",
        access_token: &access_token,
        anew_since: anew.then_some(now),
    };
    person(&IdToken::parse(&text).unwrap(), &asked, now)
}

fn decide(changes: &[(&str, Value)]) -> Result<Person, Refusal> {
    decide_for(UpstreamKind::Oidc, false, changes)
}

#[test]
fn each_claim_must_be_right() {
    for good in [
        vec![],
        vec![("aud", json!(["us"]))],
        vec![("aud", json!(["us", "them"])), ("azp", json!("us"))],
        vec![("azp", json!("us"))],
        vec![("exp", json!(NOW - SKEW_SECONDS + 1))],
        vec![("iat", json!(NOW + SKEW_SECONDS))],
        vec![("nbf", json!(NOW + SKEW_SECONDS))],
        // OpenID Connect Core, appendix A.3.
        vec![("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ"))],
        vec![("sub", json!("x".repeat(255)))],
        vec![("auth_time", json!(0))],
    ] {
        assert!(decide(&good).is_ok(), "{good:?}");
    }
    for (bad, why) in [
        (vec![("iss", json!("https://id.example/"))], Refusal::OtherIssuer),
        (vec![("iss", json!("https://evil.example"))], Refusal::OtherIssuer),
        (vec![("aud", json!("them"))], Refusal::OtherAudience),
        (vec![("aud", json!([]))], Refusal::OtherAudience),
        (vec![("aud", json!(["them"])), ("azp", json!("us"))], Refusal::OtherAudience),
        (vec![("aud", json!(["us", "them"]))], Refusal::OtherAudience),
        (vec![("aud", json!(["us", "them"])), ("azp", json!("them"))], Refusal::OtherAudience),
        (vec![("azp", json!("them"))], Refusal::OtherAudience),
        (vec![("exp", json!(NOW - SKEW_SECONDS))], Refusal::OtherTime),
        (vec![("iat", json!(NOW + SKEW_SECONDS + 1))], Refusal::OtherTime),
        (vec![("nbf", json!(NOW + SKEW_SECONDS + 1))], Refusal::OtherTime),
        (vec![("nonce", json!("m"))], Refusal::OtherNonce),
        (vec![("nonce", Value::Null)], Refusal::OtherNonce),
        (vec![("at_hash", json!("77QmUPtjPfzWtF2AnpK9RA"))], Refusal::OtherAccessToken),
        (vec![("sub", json!(""))], Refusal::NoSubject),
        (vec![("sub", json!("x".repeat(256)))], Refusal::NoSubject),
        (vec![("sub", json!("a\0b"))], Refusal::NoSubject),
    ] {
        assert_eq!(decide(&bad), Err(why), "{bad:?}");
    }
}

#[test]
fn who_was_to_prove_it_anew_did() {
    let at = |time| decide_for(UpstreamKind::Oidc, true, &[("auth_time", json!(time))]);
    assert!(at(NOW).is_ok() && at(NOW - SKEW_SECONDS).is_ok());
    assert_eq!(at(NOW - SKEW_SECONDS - 1), Err(Refusal::NotAnew));
    assert_eq!(decide_for(UpstreamKind::Oidc, true, &[]), Err(Refusal::NotAnew), "whoever is asked with max_age tells");
    assert!(decide_for(UpstreamKind::Google, true, &[]).is_ok(), "Google is not asked so");
    assert!(decide_for(UpstreamKind::Oidc, false, &[]).is_ok());
}

#[test]
fn only_an_address_that_the_provider_vouches_for_counts() {
    let email = |kind, verified| {
        decide_for(kind, false, &[("email", json!("Ada@Example.com")), ("email_verified", verified)])
            .unwrap()
            .email
            .map(|email| email.to_string())
    };
    let (oidc, apple) = (UpstreamKind::Oidc, UpstreamKind::Apple);
    assert_eq!(email(oidc, json!(true)), Some("ada@example.com".to_owned()));
    assert_eq!(email(apple, json!("true")), Some("ada@example.com".to_owned()));
    for (kind, verified) in
        [(oidc, json!(false)), (oidc, Value::Null), (oidc, json!("true")), (apple, json!("false")), (apple, json!(false))]
    {
        assert_eq!(email(kind, verified.clone()), None, "{kind} {verified}");
    }
    let no_address = decide(&[("email", json!("not an address")), ("email_verified", json!(true))]).unwrap();
    assert_eq!((no_address.email, no_address.subject.as_str()), (None, "248289761001"));
}

#[test]
fn a_label_is_what_the_person_knows_it_by() {
    let label = |changes: &[(&str, Value)]| decide(changes).unwrap().label;
    let (email, verified) = (("email", json!("ada@example.com")), ("email_verified", json!(true)));
    assert_eq!(label(&[email.clone(), verified, ("name", json!("Ada"))]), "ada@example.com");
    // Whose address it is, nobody has said.
    assert_eq!(label(&[email, ("name", json!("Ada"))]), "Ada");
    assert_eq!(label(&[("name", json!(" \n")), ("preferred_username", json!("ada\u{7}"))]), "ada");
    assert_eq!(label(&[]), "");
    assert_eq!(label(&[("name", json!("é".repeat(1_000)))]).chars().count(), LONGEST_LABEL);
    let user = User { id: 583_231, login: "octocat".to_owned() };
    assert_eq!((github_person(&user, None).label, github_person(&user, None).subject), ("octocat".into(), "583231".into()));
}

#[test]
fn methods_are_passed_on_as_far_as_they_are_words() {
    let amr = |value| decide(&[("amr", value)]).unwrap().amr;
    assert_eq!(amr(json!(["pwd", "otp"])), ["pwd", "otp"]);
    assert_eq!(amr(json!(["", "a b", "é", "x".repeat(33), "hwk"])), ["hwk"]);
    assert_eq!(amr(json!(vec!["a"; 20])).len(), MOST_METHODS);
    assert!(decide(&[]).unwrap().amr.is_empty());
}

#[test]
fn a_response_names_its_sender() {
    let check = |iss, always| check_sender(iss, "https://id.example", always);
    for always in [true, false] {
        assert_eq!(check(Some("https://id.example"), always), Ok(()));
        for other in ["https://id.example/", "https://evil.example", ""] {
            assert_eq!(check(Some(other), always), Err(Refusal::OtherIssuer), "{other}");
        }
    }
    assert_eq!((check(None, false), check(None, true)), (Ok(()), Err(Refusal::OtherIssuer)));
}

#[test]
fn what_goes_along_with_a_state_is_its_own() {
    let (one, other) = (Secret::new("one").hash(), Secret::new("other").hash());
    let of = |state, key| {
        let made = Companions::of(state, key);
        assert!(made.code_challenge().is_ok() && made.nonce.len() == 43);
        [made.nonce.clone(), made.code_verifier.expose().to_owned()]
    };
    assert_eq!(of(&one, &[1; 32]), of(&one, &[1; 32]));
    let all = [of(&one, &[1; 32]), of(&other, &[1; 32]), of(&one, &[2; 32])].concat();
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
}
