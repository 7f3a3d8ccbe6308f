//! Logout that an app asks for, in all its cases: the person is out afterwards, and is led only where the app may lead them.

use serde_json::json;

use super::suite::{Mode, Suite, assert_refused, long_state};
use crate::actors::{Answer, Form, Tokens, decode};
use crate::{forge, on_both};

pub(super) const BYE: &str = "https://app.example/bye";

/// What an app sends to the end of the session, all of it.
pub(super) fn farewell(tokens: &Tokens) -> Form {
    Form::of(&[("id_token_hint", &tokens.id), ("post_logout_redirect_uri", BYE), ("state", &long_state())])
}

/// Goes to the end-session endpoint and agrees to whatever it asks.
pub(super) async fn goodbye(suite: &Suite<'_>, form: &Form) -> Answer {
    let page = suite.browser.get(&format!("/logout?{}", form.encode())).await;
    if page.status == 200 && page.body.contains("/logout/confirm") {
        return suite.browser.post_form("/logout/confirm", &page.form("/logout/confirm")).await;
    }
    page
}

/// Asserts that nobody is signed in any more: `prompt=none` says so (OpenID Connect Core §3.1.2.6).
pub(super) async fn assert_signed_out(suite: &Suite<'_>) {
    let asked = suite.request().with("state", &long_state()).with("prompt", "none");
    let answer = suite.browser.auth(&asked).await;
    assert_refused(&asked, &suite.read(&asked, &answer), &["login_required", "interaction_required"]);
}

/// Signs in, says goodbye in the way that `change` makes of the full request, and must end on a page of ours which says that it is done.
async fn stays_here(suite: &Suite<'_>, change: impl FnOnce(Form) -> Form) {
    let tokens = suite.tokens(&suite.request().with("state", &long_state())).await;
    let answer = goodbye(suite, &change(farewell(&tokens))).await;
    assert_eq!((answer.status, answer.location()), (303, "/logged-out"));
    let page = suite.browser.get("/logged-out").await;
    assert!(page.status == 200 && !page.body.contains(BYE), "{}", page.body);
    assert_signed_out(suite).await;
}

/// The same for a request that must not be believed: the person is asked, and may as well stay signed in; the app hears of nothing.
async fn is_not_led_back(suite: &Suite<'_>, form: &Form) {
    let page = suite.browser.get(&format!("/logout?{}", form.encode())).await;
    assert!(page.status == 200 || page.status == 400, "{} {}", page.status, page.location());
    assert!(!page.location().starts_with(BYE));
    let silent = suite.request().with("prompt", "none");
    assert!(suite.browser.auth(&silent).await.query("code").is_some(), "nobody was signed out without being asked");
    assert!(!goodbye(suite, form).await.location().starts_with(BYE));
}

macro_rules! logout {
    ($name:ident, |$suite:ident| $body:block) => {
        on_both!($name, |world| {
            let $suite = &Suite::new(&world, Mode::Query).await;
            $body
        });
    };
}

logout!(oidcc_rp_initiated_logout, |suite| {
    let tokens = suite.tokens(&suite.request().with("state", &long_state())).await;
    let back = goodbye(suite, &farewell(&tokens)).await;
    assert!(back.status == 303 && back.location().starts_with(&format!("{BYE}?state=")), "{}", back.location());
    assert_eq!(back.redirect().encode(), Form::of(&[("state", &long_state())]).encode(), "the state as it was, and nothing else");
    assert_signed_out(suite).await;
});

logout!(oidcc_rp_initiated_logout_no_state, |suite| {
    let tokens = suite.tokens(&suite.request().with("state", &long_state())).await;
    let back = goodbye(suite, &farewell(&tokens).without("state")).await;
    assert_eq!((back.status, back.location()), (303, BYE));
    assert_signed_out(suite).await;
});

logout!(oidcc_rp_initiated_logout_no_params, |suite| {
    stays_here(suite, |_| Form::default()).await;
});

logout!(oidcc_rp_initiated_logout_only_state, |suite| {
    stays_here(suite, |form| form.without("id_token_hint").without("post_logout_redirect_uri")).await;
});

logout!(oidcc_rp_initiated_logout_no_post_logout_redirect_uri, |suite| {
    stays_here(suite, |form| form.without("post_logout_redirect_uri")).await;
});

logout!(oidcc_rp_initiated_logout_no_id_token_hint, |suite| {
    let tokens = suite.tokens(&suite.request()).await;
    is_not_led_back(suite, &farewell(&tokens).without("id_token_hint")).await;
});

logout!(oidcc_rp_initiated_logout_bad_post_logout_redirect_uri, |suite| {
    let tokens = suite.tokens(&suite.request()).await;
    is_not_led_back(suite, &farewell(&tokens).with("post_logout_redirect_uri", &format!("{BYE}/kX3pQ9vLw2"))).await;
});

logout!(oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri, |suite| {
    let tokens = suite.tokens(&suite.request()).await;
    is_not_led_back(suite, &farewell(&tokens).with("post_logout_redirect_uri", &format!("{BYE}?foo=bar"))).await;
});

logout!(oidcc_rp_initiated_logout_modified_id_token_hint, |suite| {
    let tokens = suite.tokens(&suite.request()).await;
    let unsigned = forge::assemble(&json!({ "alg": "none" }), &decode(&tokens.id).1, b"");
    is_not_led_back(suite, &farewell(&tokens).with("id_token_hint", &unsigned)).await;
});

// One that the app has made itself: it is its issuer, and we are its audience.
logout!(oidcc_rp_initiated_logout_bad_id_token_hint, |suite| {
    let tokens = suite.tokens(&suite.request()).await;
    let now = suite.world.clock.now().seconds();
    let claims = json!({
        "iss": "suite", "sub": "SubjectID", "aud": crate::world::ISSUER, "nonce": "flibble", "iat": now, "exp": now + 300,
    });
    let theirs = forge::self_signed(&json!("theirs"), "JWT", &claims);
    is_not_led_back(suite, &farewell(&tokens).with("id_token_hint", &theirs)).await;
});
