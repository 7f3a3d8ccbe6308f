//! The relying party against a server that lies in one thing at a time, over real HTTP: each lie must be seen, and by its check.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::report::Verdict;
use super::*;
use crate::domain::{Clock, Entropy, Timestamp};

const NOW: i64 = 1_767_225_600;
const ACCESS_TOKEN: &str = "an-access-token";

/// A server of one person, and what it changes in the truth.
struct Liar {
    issuer: String,
    nonce: Mutex<String>,
    lie: Lie,
}

type Lie = fn(&mut Facts);

/// What the server says; the lie edits it.
struct Facts {
    metadata: Value,
    claims: Value,
    kid: &'static str,
    seed: [u8; 32],
    token: (u16, Value),
    userinfo: Value,
}

impl Liar {
    fn facts(&self) -> Facts {
        let issuer = &self.issuer;
        let nonce = self.nonce.lock().expect("no test panics with it").clone();
        let mut facts = Facts {
            metadata: json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/keys"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA"],
                "authorization_response_iss_parameter_supported": true,
            }),
            claims: json!({ "iss": issuer, "sub": "ann", "aud": "playground", "exp": NOW + 60, "iat": NOW, "auth_time": NOW, "nonce": nonce }),
            kid: "key",
            seed: [1; 32],
            token: (200, json!({ "access_token": ACCESS_TOKEN, "token_type": "bearer", "expires_in": 60 })),
            userinfo: json!({ "sub": "ann" }),
        };
        (self.lie)(&mut facts);
        facts
    }

    fn id_token(facts: &Facts) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": facts.kid })), part(&facts.claims));
        let key = Ed25519KeyPair::from_seed_unchecked(&facts.seed).expect("a seed is a key");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())))
    }
}

async fn answer(request: HttpRequest, liar: web::Data<Liar>) -> HttpResponse {
    let facts = liar.facts();
    match request.path() {
        "/.well-known/openid-configuration" => HttpResponse::Ok().json(facts.metadata),
        "/keys" => {
            let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed is a key");
            let x = URL_SAFE_NO_PAD.encode(key.public_key());
            HttpResponse::Ok()
                .json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "key", "alg": "EdDSA", "use": "sig", "x": x }] }))
        }
        "/token" => {
            let (status, mut body) = facts.token.clone();
            if status == 200 && body.is_object() && body.get("id_token").is_none() {
                body["id_token"] = Liar::id_token(&facts).into();
            }
            HttpResponse::build(actix_web::http::StatusCode::from_u16(status).expect("a status")).json(body)
        }
        "/userinfo" => HttpResponse::Ok().json(facts.userinfo),
        _ => HttpResponse::NotFound().finish(),
    }
}

/// Signs in at a server with this lie; `max_age` is asked for.
async fn sign_in(lie: Lie) -> Report {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("it is bound"));
    let liar = web::Data::from(Arc::new(Liar { issuer: issuer.clone(), nonce: Mutex::default(), lie }));
    let data = liar.clone();
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)))
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("it listens")
        .run();
    let handle = server.handle();
    actix_web::rt::spawn(server);

    let clock = Clock::fixed(Timestamp::from_seconds(NOW));
    let redirect_uri = super::super::redirect_uri(&issuer);
    let playground = Playground::new(
        issuer.clone(),
        "playground".to_owned(),
        redirect_uri.clone(),
        crate::playground::recorder::no_tls(),
        clock,
        Entropy::seeded(3),
    )
    .expect("it starts");
    let choices = Choices { max_age: Some(std::time::Duration::from_mins(1)), ..Choices::default() };
    let report = match begin(&playground, choices).await {
        Begun::Failed(report) => report,
        Begun::Away { url, pending, .. } => {
            let sent =
                |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default();
            *liar.nonce.lock().expect("no test panics with it") = sent("nonce");
            assert!(pending.is_for(&sent("state")));
            assert_eq!((sent("code_challenge_method").as_str(), sent("max_age").as_str()), ("S256", "60"));
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("code", "c").append_pair("iss", &issuer).finish();
            finish(&playground, *pending, &Answer::in_query(&redirect_uri, &query)).await
        }
    };
    handle.stop(false).await;
    report
}

#[actix_web::test]
async fn an_honest_server_signs_in_and_every_check_is_made() {
    // Half of the SHA-512 of the access token, as Ed25519 hashes (OpenID Connect Core §3.1.3.6).
    let report = sign_in(|facts| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, ACCESS_TOKEN.as_bytes());
        facts.claims["at_hash"] = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..32]).into();
    })
    .await;
    assert!(matches!(report.outcome, Outcome::SignedIn), "{:?}", report.outcome);
    for check in Check::ALL {
        assert_eq!(report.checks.verdict(check), Verdict::Passed, "{check:?}");
    }
    let sent: Vec<_> = report.steps.iter().flat_map(|step| &step.exchanges).map(|exchange| exchange.request.method.as_str()).collect();
    assert_eq!(sent, ["GET", "GET", "GET", "GET", "POST", "GET"]);
    let token_request = &report.steps[3].exchanges[0].request;
    let verifier = &report.steps[1].facts.last().expect("the verifier is shown").1;
    assert!(token_request.body.contains(&format!("code_verifier={verifier}")) && token_request.body.contains("client_id=playground"));
    assert_eq!(report.tokens.len(), 2);
}

#[actix_web::test]
async fn each_lie_is_seen_by_its_check() {
    let lies: [(Check, Lie); 10] = [
        (Check::Discovery, |facts| facts.metadata["issuer"] = "http://evil.example".into()),
        (Check::Issuer, |facts| facts.claims["iss"] = "http://evil.example".into()),
        (Check::Audience, |facts| facts.claims["aud"] = "another-app".into()),
        (Check::Signature, |facts| facts.seed = [2; 32]),
        (Check::Signature, |facts| facts.kid = "unknown"),
        (Check::Expiry, |facts| facts.claims["exp"] = (NOW - 1).into()),
        (Check::Nonce, |facts| facts.claims["nonce"] = "of another sign-in".into()),
        (Check::AuthTime, |facts| facts.claims["auth_time"] = (NOW - 3_600).into()),
        (Check::AccessTokenHash, |facts| facts.claims["at_hash"] = "of-another-token".into()),
        (Check::Subject, |facts| facts.userinfo["sub"] = "bob".into()),
    ];
    for (check, lie) in lies {
        let report = sign_in(lie).await;
        assert!(matches!(report.outcome, Outcome::Failed(_)), "{check:?}");
        let failed: Vec<_> = Check::ALL.into_iter().filter(|check| report.checks.verdict(*check) == Verdict::Failed).collect();
        assert_eq!(failed, [check]);
        let place = Check::ALL.iter().position(|known| *known == check).expect("it is one of them");
        for later in &Check::ALL[place + 1..] {
            assert_eq!(report.checks.verdict(*later), Verdict::NotMade, "{later:?} after {check:?}");
        }
    }
}

#[actix_web::test]
async fn refusals_and_nonsense_are_told_with_what_was_sent() {
    let lies: [(&str, Option<&str>, Lie); 4] = [
        ("The server did not take the code", Some("invalid_grant"), |facts| {
            facts.token = (400, json!({ "error": "invalid_grant", "error_description": "It was used." }));
        }),
        ("The token request failed", None, |facts| facts.token = (200, json!("nonsense"))),
        ("The token request failed", None, |facts| {
            facts.token = (200, json!({ "access_token": "a", "token_type": "bearer", "id_token": "x" }));
        }),
        ("The server’s metadata cannot be used", None, |facts| facts.metadata["token_endpoint"] = Value::Null),
    ];
    for (title, code, lie) in lies {
        let report = sign_in(lie).await;
        let Outcome::Failed(problem) = &report.outcome else { panic!("{title}: it did not fail") };
        assert_eq!((problem.title, problem.code.as_deref()), (title, code), "{}", problem.words);
        assert!(report.steps.last().is_some_and(|step| step.exchanges.iter().all(|exchange| exchange.response.is_some())));
    }
}
