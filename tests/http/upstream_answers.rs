//! Answers of providers that are none: each claim, each signature, each sender, and whose answer it is.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::actors::{Browser, Form};
use crate::forge::{assemble, hmac_signed, self_signed};
use crate::provider::{ACCESS_TOKEN, CLIENT_SECRET, Key, Providers, Sent, come_back, refused, send};
use crate::site::Page;
use crate::with_providers;
use crate::world::{BEGINNING, World};

with_providers! {
    a_token_that_is_not_for_this_sign_in_is_refused
    a_token_that_the_provider_did_not_sign_is_refused
    what_gives_no_token_is_refused
    an_answer_is_taken_once_by_the_browser_that_was_sent
    an_answer_is_that_of_its_provider
    a_provider_that_says_no_is_understood
    a_provider_is_gone_to_by_our_own_form_alone
    an_answer_leads_to_its_own_visit_alone
}

const NOT_USED: &str = "The answer of The House could not be used";

async fn visit(browser: &Browser<'_>) -> String {
    browser.get("/account").await.location().to_owned()
}

async fn a_token_that_is_not_for_this_sign_in_is_refused(world: &World, there: &Providers) {
    let browser = Browser::new(world);
    let interaction = visit(&browser).await;
    let hash = digest(&SHA256, b"another access token");
    let half = &hash.as_ref()[..16];
    for (name, value, why) in [
        ("iss", json!("https://evil.example"), "somebody else"),
        ("iss", json!(format!("{}/", there.issuer(""))), "somebody else"),
        ("aud", json!("somebody else"), "another site"),
        ("aud", json!(["us & co", "somebody else"]), "another site"),
        ("aud", json!([]), "another site"),
        ("azp", json!("somebody else"), "another site"),
        ("exp", json!(BEGINNING - 60), "not for now"),
        ("iat", json!(BEGINNING + 61), "not for now"),
        ("nbf", json!(BEGINNING + 61), "not for now"),
        ("nonce", json!("another"), "not the answer to this sign-in"),
        ("nonce", Value::Null, "not the answer to this sign-in"),
        ("at_hash", json!(URL_SAFE_NO_PAD.encode(half)), "not the answer to this sign-in"),
        ("sub", json!(""), "does not say who you are"),
        ("sub", json!(5), "signature"),
        ("exp", json!((BEGINNING + 60).to_string()), "signature"),
        ("exp", Value::Null, "signature"),
    ] {
        let what = format!("{name} {value}");
        let answer = there
            .sign_in(&browser, &interaction, |claims| match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value,
            })
            .await;
        refused(&browser, &answer, 400, NOT_USED, &what);
        assert!(answer.body.contains(why), "{what}: {}", answer.body);
    }
    let hash = digest(&SHA256, ACCESS_TOKEN.as_bytes());
    let half = &hash.as_ref()[..16];
    let good = there.sign_in(&browser, &interaction, |claims| claims["at_hash"] = json!(URL_SAFE_NO_PAD.encode(half))).await;
    assert_eq!(good.status, 303, "the visit was not harmed: {}", good.body);
}

/// Makes a token of these claims that the provider did not sign.
type Forge<'f> = Box<dyn Fn(&Value) -> String + 'f>;

async fn a_token_that_the_provider_did_not_sign_is_refused(world: &World, there: &Providers) {
    let browser = Browser::new(world);
    let interaction = visit(&browser).await;
    let public = there.key.jwk().to_string();
    let forgeries: Vec<(&str, Forge<'_>)> = vec![
        ("none", Box::new(|claims| assemble(&json!({ "alg": "none" }), claims, b""))),
        ("none with a kid", Box::new(|claims| assemble(&json!({ "alg": "none", "kid": "k1" }), claims, b""))),
        ("HS256 with the secret", Box::new(|claims| hmac_signed(&json!({ "alg": "HS256" }), claims, CLIENT_SECRET.as_bytes()))),
        ("HS256 with the public key", Box::new(|claims| hmac_signed(&json!({ "alg": "HS256", "kid": "k1" }), claims, public.as_bytes()))),
        ("another key of the same name", Box::new(|claims| Key::new("k1").token(claims))),
        ("a key of its own", Box::new(|claims| self_signed(&json!("k1"), "JWT", claims))),
        ("an unknown key", Box::new(|claims| Key::new("k9").token(claims))),
        ("another algorithm", Box::new(|claims| there.key.sign(&json!({ "alg": "RS256", "kid": "k1" }), claims))),
        ("a critical extension", Box::new(|claims| there.key.sign(&json!({ "alg": "ES256", "kid": "k1", "crit": ["x"] }), claims))),
        (
            "other claims",
            Box::new(|claims| {
                let (good, other) = (there.key.token(claims), there.key.token(&json!({ "sub": "eve" })));
                let parts: Vec<&str> = good.split('.').collect();
                [parts[0], other.split('.').nth(1).unwrap(), parts[2]].join(".")
            }),
        ),
        ("no token", Box::new(|_| "no token".to_owned())),
        ("nothing", Box::new(|_| String::new())),
    ];
    for (what, forge) in forgeries {
        let sent = send(&browser, &interaction, "house").await;
        there.gives("", &forge(&there.ada("", &sent)));
        let answer = come_back(&browser, &sent, &sent.good()).await;
        refused(&browser, &answer, 400, NOT_USED, what);
        assert!(answer.body.contains("signature of The House"), "{what}: {}", answer.body);
    }
    assert_eq!(there.sign_in(&browser, &interaction, |_| {}).await.status, 303);
}

async fn what_gives_no_token_is_refused(world: &World, there: &Providers) {
    let browser = Browser::new(world);
    let interaction = visit(&browser).await;
    for (what, page) in [
        ("refused", Page::json(&json!({ "error": "invalid_grant" })).status(400)),
        ("not us", Page::json(&json!({ "error": "invalid_client" })).status(401)),
        ("refused, with a token", Page::json(&json!({ "error": "x", "access_token": "a", "token_type": "Bearer" }))),
        ("no ID token", Page::json(&json!({ "access_token": "a", "token_type": "Bearer" }))),
        ("another type", Page::json(&json!({ "access_token": "a", "token_type": "DPoP", "id_token": "x" }))),
        ("no JSON", Page::of("text/html", "<html>")),
        ("a redirect", Page::json(&json!({})).status(307).with("location", &there.site.url("/elsewhere"))),
    ] {
        let sent = send(&browser, &interaction, "house").await;
        there.site.put("/token", page);
        refused(&browser, &come_back(&browser, &sent, &sent.good()).await, 400, NOT_USED, what);
    }
    assert_eq!(there.site.asked("/elsewhere"), 0, "a code is for that address alone");
    let sent = send(&browser, &interaction, "house").await;
    there.site.put("/token", Page::of("application/json", vec![b' '; 200 * 1024]));
    refused(&browser, &come_back(&browser, &sent, &sent.good()).await, 503, "The House does not answer", "an answer without end");
}

async fn an_answer_is_taken_once_by_the_browser_that_was_sent(world: &World, there: &Providers) {
    let (browser, thief) = (Browser::new(world), Browser::new(world));
    let (interaction, theirs) = (visit(&browser).await, visit(&thief).await);
    let sent = send(&browser, &interaction, "house").await;
    there.gives("", &there.key.token(&there.ada("", &sent)));
    // Another browser, with a visit of its own or without a cookie; and the callback of another provider.
    assert!(come_back(&thief, &sent, &sent.good()).await.is_error_page(410));
    assert!(come_back(&Browser::new(world), &sent, &sent.good()).await.is_error_page(403));
    let elsewhere = Sent { upstream: "annex", endpoint: String::new(), query: sent.query.clone() };
    assert!(come_back(&browser, &elsewhere, &sent.good()).await.is_error_page(410));
    for state in ["", "x", &"x".repeat(43)] {
        assert!(come_back(&browser, &sent, &sent.good().with("state", state)).await.is_error_page(410), "{state}");
    }
    let doubled = sent.good().and("state", "another");
    assert!(come_back(&browser, &sent, &doubled).await.is_error_page(400));
    assert_eq!(there.site.asked("/token"), 0, "nothing was fetched for any of them");
    assert_eq!(browser.get("/upstream/nobody/callback?state=x").await.status, 404);

    let good = sent.good();
    let answers = join_all((0..20).map(|_| come_back(&browser, &sent, &good))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "of twenty one is taken");
    assert!(
        answers
            .iter()
            .filter(|answer| answer.status != 303)
            .all(|answer| answer.status == 400 && answer.body.contains("<h2>This was used already</h2>"))
    );
    assert_eq!(there.site.asked("/token"), 1);
    assert_eq!(thief.cookie("latchkey_session"), None);
    assert!(thief.get(&theirs).await.is_sign_in(), "who has nothing stays where they are");

    // Ten minutes.
    let late = Browser::new(world);
    let interaction = visit(&late).await;
    let sent = send(&late, &interaction, "house").await;
    there.gives("", &there.key.token(&there.ada("", &sent)));
    world.clock.advance(Duration::from_mins(10));
    refused(&late, &come_back(&late, &sent, &sent.good()).await, 400, "That took a little long", "late");
    assert_eq!(there.site.asked("/token"), 1);
    // A visit that ended meanwhile.
    let sent = send(&late, &interaction, "house").await;
    let page = late.get(&interaction).await;
    late.post_form(&format!("{interaction}/cancel"), &page.form("/cancel")).await;
    assert!(come_back(&late, &sent, &sent.good()).await.is_error_page(410));
    assert_eq!(there.site.asked("/token"), 1);
}

async fn an_answer_is_that_of_its_provider(world: &World, there: &Providers) {
    // RFC 9207: one that does not say that it names itself, and one that does.
    let browser = Browser::new(world);
    let interaction = visit(&browser).await;
    for names_itself in [false, true] {
        there.describes_itself("", |document| document["authorization_response_iss_parameter_supported"] = json!(names_itself));
        // The document is known for an hour.
        world.clock.advance(Duration::from_hours(u64::from(names_itself)));
        let interaction = if names_itself { visit(&browser).await } else { interaction.clone() };
        for (iss, taken) in [
            (Some(there.issuer("")), true),
            (Some("https://evil.example".to_owned()), false),
            (Some(there.issuer("/annex")), false),
            (None, !names_itself),
        ] {
            let other = Browser::new(world);
            let interaction = if taken { visit(&other).await } else { interaction.clone() };
            let browser = if taken { &other } else { &browser };
            let sent = send(browser, &interaction, "house").await;
            let asked = there.site.asked("/token");
            there.gives("", &there.key.token(&there.ada("", &sent)));
            let answer = iss.as_ref().map_or_else(|| sent.good(), |iss| sent.good().and("iss", iss));
            let back = come_back(browser, &sent, &answer).await;
            if taken {
                assert_eq!(back.status, 303, "{iss:?} {}", back.body);
            } else {
                refused(browser, &back, 400, NOT_USED, &format!("{iss:?}"));
                assert_eq!(there.site.asked("/token"), asked, "its code is not sent anywhere");
            }
        }
    }
}

async fn a_provider_that_says_no_is_understood(world: &World, there: &Providers) {
    let browser = Browser::new(world);
    let interaction = visit(&browser).await;
    for (error, status, title) in [
        ("access_denied", 403, "You did not go on at The House"),
        ("user_cancelled_authorize", 403, "You did not go on at The House"),
        ("server_error", 400, "The House did not sign you in"),
        ("<script>alert(1)</script>", 400, "The House did not sign you in"),
    ] {
        let sent = send(&browser, &interaction, "house").await;
        let answer = sent.good().with("error", error).with("error_description", "<b>words of theirs</b>");
        let back = come_back(&browser, &sent, &answer).await;
        refused(&browser, &back, status, title, error);
        assert!(!back.body.contains("words of theirs") && !back.body.contains("alert(1)"), "nothing of theirs is repeated");
        assert_eq!(there.site.asked("/token"), 0);
    }
    for answer in
        [Form::default(), Form::of(&[("code", "")]), Form::of(&[("code", "a"), ("code", "b")]), Form::of(&[("error", "a"), ("error", "b")])]
    {
        let sent = send(&browser, &interaction, "house").await;
        let answer = answer.and("state", sent.query.get("state"));
        refused(&browser, &come_back(&browser, &sent, &answer).await, 400, NOT_USED, &format!("{answer:?}"));
    }
    assert_eq!(there.site.asked("/token"), 0);
}

async fn a_provider_is_gone_to_by_our_own_form_alone(world: &World, _: &Providers) {
    let (browser, other) = (Browser::new(world), Browser::new(world));
    let interaction = visit(&browser).await;
    let page = browser.get(&interaction).await;
    let (path, form) = (format!("{interaction}/upstream/house"), page.form("/upstream/house"));
    assert_eq!(browser.post_form(&path, &Form::default()).await.status, 403);
    assert_eq!(browser.post_form(&path, &form.clone().with("csrf", "x")).await.status, 403);
    assert_eq!(browser.post_cross_site(&path, &form).await.status, 403);
    visit(&other).await;
    let theirs = other.get(&visit(&other).await).await.form("/cancel");
    assert_eq!(other.post_form(&path, &theirs).await.status, 410, "a visit is its browser's");
    assert_eq!(browser.post_form(&format!("{interaction}/upstream/nobody"), &form).await.status, 404);
    assert_eq!(browser.get(&path).await.status, 405);
    assert_eq!(browser.post_form(&path, &form).await.status, 200);
}

async fn an_answer_leads_to_its_own_visit_alone(world: &World, there: &Providers) {
    for (name, elsewhere) in [
        ("next", "//evil.example"),
        ("redirect_uri", "https://evil.example/"),
        ("return_to", "/\\evil.example"),
        ("RelayState", "https://evil.example"),
    ] {
        let browser = Browser::new(world);
        let interaction = visit(&browser).await;
        let sent = send(&browser, &interaction, "house").await;
        there.gives("", &there.key.token(&there.ada("", &sent)));
        let back = come_back(&browser, &sent, &sent.good().and(name, elsewhere)).await;
        assert_eq!((back.status, back.location()), (303, interaction.as_str()), "{name}");
    }
}
