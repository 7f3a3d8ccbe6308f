//! Several ways into one account: added with a proof on both sides, taken away to the last but one, and what is told of their addresses.

use std::time::Duration;

use latchkey::domain::{AccountId, ClaimsProfile, Provider};
use latchkey::store::{Linked, Proved, SignedIn};
use serde_json::json;

use crate::actors::{Answer, App, Browser, Form, Tokens, Wallet};
use crate::world::World;
use crate::{on_both, on_one};

const LATER: Duration = Duration::from_secs(601);

/// Begins to add a way, for the visit.
async fn adding(browser: &Browser<'_>) -> String {
    let csrf = browser.get("/account").await.csrf();
    let began = browser.post("/account/ways/add", &[("csrf", &csrf)]).await;
    assert!(began.status == 303 && began.location().starts_with("/interaction/"), "{} {}", began.status, began.body);
    began.location().to_owned()
}

fn removal(wallet: &Wallet) -> String {
    format!("/account/ways/remove?provider=web3&subject={}", wallet.address)
}

/// Presses the button of the page that removes a wallet.
async fn remove(browser: &Browser<'_>, wallet: &Wallet) -> Answer {
    let page = browser.get(&removal(wallet)).await;
    browser.post_form("/account/ways/remove", &page.form("/account/ways/remove")).await
}

async fn account_of(world: &World, wallet: &Wallet) -> Option<AccountId> {
    world.state.store.owner_of_identity(&Provider::web3(), &wallet.address.to_string()).await.unwrap()
}

fn asks_who(page: &Answer) -> bool {
    page.is_sign_in() && page.body.contains("Is it you?")
}

fn asks_what_more(page: &Answer) -> bool {
    page.is_sign_in() && page.body.contains("<h1>Add a way to sign in</h1>")
}

/// Signs in by one wallet and adds another.
async fn with_both(browser: &Browser<'_>, one: &Wallet, two: &Wallet) {
    browser.sign_in_to_account(one).await;
    let visit = adding(browser).await;
    assert_eq!(browser.sign_in(&visit, two).await.json(), json!({ "next": "/account?added=1#ways" }));
}

fn google(subject: &str, email: &str) -> Proved {
    Proved { provider: Provider::new("google"), subject: subject.into(), label: email.into(), email: Some(email.parse().unwrap()) }
}

on_both!(a_way_is_added_with_a_fresh_proof_on_both_sides, |world| {
    let (browser, one, two) = (Browser::new(&world), Wallet::new(1), Wallet::new(2));
    browser.sign_in_to_account(&one).await;
    let account = account_of(&world, &one).await;
    world.clock.advance(LATER);
    let visit = adding(&browser).await;
    assert!(asks_who(&browser.get(&visit).await));
    // Whoever sits there now proves to be somebody else, or nobody: nothing is added, and no account is made of it.
    let refused = browser.sign_in(&visit, &two).await;
    assert_eq!(refused.error(), (403, "not_you".into()));
    assert!(refused.set_cookies().is_empty() && asks_who(&browser.get(&visit).await));
    assert_eq!((account_of(&world, &two).await, world.state.store.accounts().await.unwrap().len()), (None, 1));
    let before = browser.cookie("latchkey_session");
    assert_eq!(browser.sign_in(&visit, &one).await.json(), json!({ "next": visit }));
    assert_ne!(browser.cookie("latchkey_session"), before, "another cookie at each proof");
    assert!(asks_what_more(&browser.get(&visit).await));
    let asked = browser.ask(&visit, &two).await;
    assert!(asked.message.contains("\nAdd this wallet to your account here."), "what is signed says what it does: {}", asked.message);
    let added = browser.answer(&visit, &asked, &two.sign(&asked.message)).await;
    assert_eq!(added.json(), json!({ "next": "/account?added=1#ways" }));
    assert_eq!(account_of(&world, &two).await, account);
    let page = browser.get("/account?added=1").await;
    assert!(page.body.contains("It is added.") && page.body.contains(&two.address.to_string()), "{}", page.body);
    assert!(browser.get(&visit).await.is_error_page(410), "one visit adds one");

    let (elsewhere, app) = (Browser::new(&world), App::public(&world, "app"));
    let (by_one, by_two) = (app.tokens(&browser, &one).await, app.tokens(&elsewhere, &two).await);
    assert_eq!(by_one.claims().1["sub"], by_two.claims().1["sub"], "one person, whichever way they come in");
    assert_eq!(app.userinfo(&by_two.access).await.json()["ethereum_address"], json!(two.address), "and the wallet of the sign-in");
});

on_both!(what_was_proved_a_moment_ago_is_not_asked_again, |world| {
    let (browser, one, two) = (Browser::new(&world), Wallet::new(1), Wallet::new(2));
    browser.sign_in_to_account(&one).await;
    world.clock.advance(LATER.checked_sub(Duration::from_secs(1)).unwrap());
    let visit = adding(&browser).await;
    assert!(asks_what_more(&browser.get(&visit).await));
    // While the page is open it gets old.
    world.clock.advance(Duration::from_secs(1));
    assert!(asks_who(&browser.get(&visit).await));
    let refused = browser.sign_in(&visit, &two).await;
    assert_eq!((refused.error(), account_of(&world, &two).await), ((403, "not_you".into()), None));
    // What one has already is said to be there.
    browser.sign_in(&visit, &one).await;
    assert_eq!(browser.sign_in(&visit, &one).await.json(), json!({ "next": "/account?known=1#ways" }));
    assert!(browser.get("/account?known=1").await.body.contains("You had that one already."));
});

on_both!(a_visit_that_adds_is_one_browsers_and_one_accounts, |world| {
    let (browser, other) = (Browser::new(&world), Browser::new(&world));
    let (one, two, three) = (Wallet::new(1), Wallet::new(2), Wallet::new(3));
    browser.sign_in_to_account(&one).await;
    let theirs = other.sign_in_to_account(&two).await.csrf();
    let visit = adding(&browser).await;
    // Mallory sends the address of a visit to somebody, or somebody's to Mallory.
    assert!(other.get(&visit).await.is_error_page(410));
    let ask = json!({ "address": three.address, "chain_id": 137 });
    assert_eq!(other.post_json(&format!("{visit}/wallet/challenge"), &theirs, &ask).await.status, 410);
    let asked = browser.ask(&visit, &three).await;
    let body = json!({ "challenge": asked.challenge, "signature": three.sign(&asked.message) });
    assert_eq!(other.post_json(&format!("{visit}/wallet/signature"), &theirs, &body).await.status, 410);
    assert_eq!(account_of(&world, &three).await, None);

    // In this browser somebody else signs in: the visit is not theirs, and adds nothing to either of them.
    let csrf = browser.get("/account").await.csrf();
    browser.post("/account/sign-out", &[("csrf", &csrf)]).await;
    assert!(asks_who(&browser.get(&visit).await));
    browser.sign_in_to_account(&two).await;
    assert!(asks_who(&browser.get(&visit).await));
    for wallet in [&two, &three] {
        assert_eq!(browser.sign_in(&visit, wallet).await.error(), (403, "not_you".into()));
    }
    assert_eq!(account_of(&world, &three).await, None);
    assert_ne!(account_of(&world, &one).await, account_of(&world, &two).await);
});

on_both!(what_is_anothers_stays_anothers, |world| {
    let (browser, other, one, two) = (Browser::new(&world), Browser::new(&world), Wallet::new(1), Wallet::new(2));
    browser.sign_in_to_account(&one).await;
    other.sign_in_to_account(&two).await;
    let (of_one, of_two) = (account_of(&world, &one).await, account_of(&world, &two).await);
    let visit = adding(&browser).await;
    let refused = browser.sign_in(&visit, &two).await;
    assert_eq!(refused.error(), (403, "another_account".into()));
    assert!(refused.set_cookies().is_empty() && refused.body.contains("belongs to another account"));
    assert_eq!((account_of(&world, &one).await, account_of(&world, &two).await), (of_one, of_two));
    assert_eq!(other.get("/account").await.status, 200);

    // Nor does the form of one take anything from the other.
    let csrf = browser.get("/account").await.csrf();
    let aim = Form::of(&[("csrf", &csrf), ("provider", "web3"), ("subject", &two.address.to_string()), ("name", "mine")]);
    assert_eq!(browser.post_form("/account/ways/remove", &aim).await.location(), "/account#ways");
    assert_eq!(browser.post_form("/account/ways/rename", &aim).await.location(), "/account#ways");
    assert_eq!(browser.get(&removal(&two)).await.location(), "/account#ways", "as if there were none");
    assert_eq!(account_of(&world, &two).await, of_two);
    assert!(!other.get("/account").await.body.contains("mine"));
});

on_both!(ways_are_removed_to_the_last_but_one, |world| {
    let (browser, there, one, two) = (Browser::new(&world), Browser::new(&world), Wallet::new(1), Wallet::new(2));
    with_both(&browser, &one, &two).await;
    let account = account_of(&world, &one).await;
    there.sign_in_to_account(&one).await;
    // The page says what remains and what goes, before anything happens.
    let page = browser.get(&removal(&one)).await;
    assert!(page.status == 200 && page.body.contains("After this you can sign in with") && page.body.contains(&two.address.to_string()));
    assert!(page.body.contains("Go on") && !page.body.contains("button-grave"), "signed in with the one that goes: first prove the other");
    let asked = remove(&browser, &one).await;
    let visit = asked.location().to_owned();
    assert!(visit.starts_with("/interaction/") && asks_who(&browser.get(&visit).await));
    assert_eq!(account_of(&world, &one).await, account);
    for (wrong, code) in [(&one, "not_this_one"), (&Wallet::new(3), "not_you")] {
        assert_eq!(browser.sign_in(&visit, wrong).await.error(), (403, code.into()));
    }
    assert_eq!(browser.sign_in(&visit, &two).await.json(), json!({ "next": visit }));
    assert_eq!(browser.get(&visit).await.location(), removal(&one));
    assert!(browser.get(&removal(&one)).await.body.contains("button-grave"));
    assert_eq!(remove(&browser, &one).await.location(), "/account?removed=1#ways");
    assert_eq!((account_of(&world, &one).await, account_of(&world, &two).await), (None, account));
    assert_eq!((browser.get("/account").await.status, there.get("/account").await.status), (200, 303), "who came in with it is out");

    // The last one has no button, and stays whatever is posted.
    let page = browser.get("/account").await;
    assert!(!page.body.contains("/account/ways/remove") && page.body.contains("It cannot be removed"), "{}", page.body);
    let last = browser.get(&removal(&two)).await;
    assert!(last.status == 200 && last.body.contains("only way") && !last.body.contains("<form"), "{}", last.body);
    let form = Form::of(&[("csrf", &page.csrf()), ("provider", "web3"), ("subject", &two.address.to_string())]);
    assert_eq!(browser.post_form("/account/ways/remove", &form).await.location(), removal(&two));
    assert_eq!(account_of(&world, &two).await, account);

    // What was removed is nobody's: its next sign-in is a new account.
    there.sign_in_to_account(&one).await;
    assert!(account_of(&world, &one).await.is_some_and(|new| Some(new) != account));
});

on_both!(an_old_cookie_changes_no_way_of_signing_in, |world| {
    let (owner, thief, one, two) = (Browser::new(&world), Browser::new(&world), Wallet::new(1), Wallet::new(2));
    with_both(&owner, &one, &two).await;
    let account = account_of(&world, &one).await;
    world.clock.advance(LATER);
    // A thief has the session's cookie, and a browser of their own.
    thief.get("/account").await;
    thief.set_cookie("latchkey_session", &owner.cookie("latchkey_session").unwrap());
    assert_eq!(thief.get("/account").await.status, 200);
    let mallory = Wallet::new(9);
    let visit = adding(&thief).await;
    assert_eq!(thief.sign_in(&visit, &mallory).await.error(), (403, "not_you".into()));
    for wallet in [&one, &two] {
        let asked = remove(&thief, wallet).await;
        assert!(asks_who(&thief.get(asked.location()).await), "{}", asked.location());
        assert_eq!(thief.sign_in(asked.location(), &mallory).await.error(), (403, "not_you".into()));
    }
    assert_eq!(
        (account_of(&world, &one).await, account_of(&world, &two).await, account_of(&world, &mallory).await),
        (account, account, None)
    );
    // The owner proves who they are: from then on the copy is worth nothing.
    let visit = adding(&owner).await;
    owner.sign_in(&visit, &one).await;
    assert_eq!((owner.get("/account").await.status, thief.get("/account").await.status), (200, 303));
});

on_both!(who_signed_up_with_somebodys_address_has_nothing_of_theirs, |world| {
    let (app, store) = (App::public(&world, "app"), &world.state.store);
    // Mallory is there first, and says of the address that it is theirs.
    let (mallory, wallet) = (Browser::new(&world), Wallet::new(1));
    let csrf = mallory.sign_in_to_account(&wallet).await.csrf();
    mallory.post("/account/profile", &[("csrf", &csrf), ("email", "victim@example.com")]).await;
    let theirs = account_of(&world, &wallet).await.unwrap();
    let told = app.userinfo(&app.tokens(&mallory, &wallet).await.access).await.json();
    assert_eq!((&told["email"], &told["email_verified"]), (&json!("victim@example.com"), &json!(false)));
    // Whom the provider vouches for comes in, to an account of their own.
    let new = AccountId(world.state.entropy.uuid(world.clock.now()));
    let signed = store.sign_in_by(&google("v", "victim@example.com"), new, world.clock.now()).await.unwrap();
    assert_eq!(signed, SignedIn::Account { id: new, created: true, disabled: false });
    assert_ne!(new, theirs);
    // And Mallory, who has another account with that address somewhere, cannot add it.
    let other = Proved { provider: Provider::new("lax"), ..google("m", "victim@example.com") };
    assert_eq!(store.link_identity(theirs, &other, world.clock.now()).await.unwrap(), Linked::EmailElsewhere);
    let told = app.userinfo(&app.tokens(&mallory, &wallet).await.access).await.json();
    assert_eq!(told["email_verified"], json!(false));
});

on_both!(an_address_that_was_proved_is_told_as_such, |world| {
    world.client("compat", |client| client.claims_profile = ClaimsProfile::Compat).await;
    let (app, compat, browser, wallet) = (App::public(&world, "app"), App::public(&world, "compat"), Browser::new(&world), Wallet::new(1));
    let csrf = browser.sign_in_to_account(&wallet).await.csrf();
    browser.post("/account/profile", &[("csrf", &csrf), ("email", "said@example.com")]).await;
    let account = account_of(&world, &wallet).await.unwrap();
    let proved = async || app.userinfo(&app.tokens(&browser, &wallet).await.access).await.json();
    assert_eq!(proved().await["email"], "said@example.com");
    let now = world.clock.now();
    assert_eq!(world.state.store.link_identity(account, &google("g", "proved@example.com"), now).await.unwrap(), Linked::Now);
    let told = proved().await;
    assert_eq!((&told["email"], &told["email_verified"]), (&json!("proved@example.com"), &json!(true)));
    // In an ID token that is asked for it by name.
    let by_name = json!({ "id_token": { "email": null, "email_verified": null } }).to_string();
    let back = browser.authorize(&app.request().with("claims", &by_name), &wallet).await;
    let (_, id) = Tokens::read(&app.redeem(&back.query("code").unwrap()).await).claims();
    assert_eq!((&id["email"], &id["email_verified"]), (&json!("proved@example.com"), &json!(true)));
    // In both tokens of apps of the earlier stack, with the scope `email` only.
    let tokens = compat.tokens(&browser, &wallet).await;
    let info = compat.userinfo(&tokens.access).await.json();
    for claims in [&tokens.claims().0, &tokens.claims().1, &info] {
        let read = (&claims["email"], &claims["email_verified"], &claims["provider_id"], &claims["ethereum_address"]);
        assert_eq!(read, (&json!("proved@example.com"), &json!(true), &json!("web3"), &json!(wallet.address)));
    }
    let back = browser.authorize(&compat.request().with("scope", "openid"), &wallet).await;
    let (access, id) = Tokens::read(&compat.redeem(&back.query("code").unwrap()).await).claims();
    for claims in [&access, &id] {
        assert_eq!((claims.get("email"), &claims["email_verified"]), (None, &json!(false)));
    }
    // Asked for by name, it is verified there too.
    let back = browser.authorize(&compat.request().with("scope", "openid").with("claims", &by_name), &wallet).await;
    let (_, id) = Tokens::read(&compat.redeem(&back.query("code").unwrap()).await).claims();
    assert_eq!((&id["email"], &id["email_verified"]), (&json!("proved@example.com"), &json!(true)));
});

on_both!(a_name_for_a_wallet_is_shown_as_text, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let form = browser.sign_in_to_account(&wallet).await.form("/account/ways/rename");
    let rename = async |name: &str| browser.post_form("/account/ways/rename", &form.clone().with("name", name)).await;
    assert_eq!(rename(" <b>Ledger</b> ").await.location(), "/account#ways");
    let page = browser.get("/account").await;
    assert!(page.body.contains("&#60;b&#62;Ledger") && !page.body.contains("<b>Ledger") && page.body.contains(&wallet.address.to_string()));
    for wrong in [&"x".repeat(61), "a\u{7}b"] {
        assert!(rename(wrong).await.is_error_page(400), "{wrong}");
    }
    // The next sign-in leaves it.
    let visit = browser.begin(&app.request().with("prompt", "login")).await;
    browser.sign_in(&visit, &wallet).await;
    assert!(browser.get("/account").await.body.contains("&#60;b&#62;Ledger"));
    rename("").await;
    assert!(!browser.get("/account").await.body.contains("Ledger"));
});

/// The ways that a page offers, in its order.
fn ways(page: &Answer) -> Vec<&str> {
    assert!(page.is_sign_in(), "{} {}", page.status, page.body);
    page.body.split("data-way=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

on_both!(an_app_may_ask_for_a_way, |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let asked = async |name: &str, value: &str, more: &str| {
        let visit = browser.begin(&app.request().with("prompt", "login").with(name, value)).await;
        browser.get(&format!("{visit}{more}")).await
    };
    let others = |page: &Answer| page.body.contains("Other ways to sign in");
    for way in ["web3", "passkey"] {
        let page = asked("connector_id", way, "").await;
        assert!(ways(&page) == [way] && others(&page), "{way}: {:?}", ways(&page));
        let page = asked("connector_id", way, "?all=1").await;
        assert!(ways(&page) == ["web3", "passkey"] && !others(&page), "nobody is shut out by a wish");
    }
    // One that there is not, and nonsense, are no reason to fail.
    for unknown in ["google", "", "email", &"x".repeat(1_000)] {
        let page = asked("connector_id", unknown, "").await;
        assert!(ways(&page) == ["web3", "passkey"] && !others(&page), "{unknown}");
    }
    let twice = app.request().and("connector_id", "web3").and("connector_id", "web3");
    assert_eq!(browser.auth(&twice).await.query("error").as_deref(), Some("invalid_request"));

    // A level that is preferred is offered alone; one that is demanded can be had in no other way.
    let page = asked("acr_values", "gold urn:latchkey:acr:passkey", "").await;
    assert!(ways(&page) == ["passkey"] && others(&page));
    let demand = json!({ "id_token": { "acr": { "essential": true, "value": "urn:latchkey:acr:passkey" } } }).to_string();
    for more in ["", "?all=1"] {
        let page = asked("claims", &demand, more).await;
        assert!(ways(&page) == ["passkey"] && !others(&page), "{more}");
    }
    assert!(browser.authorize(&app.request().with("connector_id", "web3"), &wallet).await.query("code").is_some());

    // The one that was used last here comes first; what else the cookie says is nothing.
    browser.set_cookie("latchkey_way", "passkey");
    let page = asked("ui_locales", "en", "").await;
    assert_eq!((ways(&page), page.body.matches("Used last in this browser").count()), (vec!["passkey", "web3"], 1));
    browser.set_cookie("latchkey_way", "<script>");
    let page = asked("ui_locales", "en", "").await;
    assert!(ways(&page) == ["web3", "passkey"] && !page.body.contains("Used last"), "{:?}", ways(&page));
});

on_one!(where_wallets_are_off_nobody_signs_in_with_one, [("SIGNIN_WALLET", "false"), ("SIGNIN_PASSKEY", "false")], |world| {
    let (app, browser, wallet) = (App::public(&world, "app"), Browser::new(&world), Wallet::new(1));
    let visit = browser.begin(&app.request()).await;
    let page = browser.get(&visit).await;
    assert!(page.body.contains("There is no way to sign in") && !page.body.contains("id=\"wallets\"") && !page.body.contains("signin.js"));
    let ask = json!({ "address": wallet.address, "chain_id": 137 });
    assert_eq!(browser.post_json(&format!("{visit}/wallet/challenge"), &page.csrf(), &ask).await.error(), (404, "not_found".into()));
    assert_eq!(browser.get("/.well-known/openid-configuration").await.json()["acr_values_supported"], json!([]));
    let demand = json!({ "id_token": { "acr": { "essential": true, "value": "urn:latchkey:acr:wallet" } } }).to_string();
    let refused = browser.auth(&app.request().with("claims", &demand)).await;
    assert_eq!(refused.query("error").as_deref(), Some("unmet_authentication_requirements"));
});

on_both!(what_was_got_by_a_removed_way_ends, |world| {
    let (app, browser, thief) = (App::public(&world, "app"), Browser::new(&world), Browser::new(&world));
    let (kept, lost) = (Wallet::new(1), Wallet::new(2));
    let mine = app.offline_tokens(&browser, &kept).await;
    let store = &world.state.store;
    let account = store.owner_of_identity(&Provider::web3(), &kept.address.to_string()).await.unwrap().unwrap();
    let proved = Proved { provider: Provider::web3(), subject: lost.address.to_string(), label: String::new(), email: None };
    assert_eq!(store.link_identity(account, &proved, world.clock.now()).await.unwrap(), Linked::Now);
    let theirs = app.offline_tokens(&thief, &lost).await;
    world.clock.advance(Duration::from_secs(5));
    assert!(remove(&browser, &lost).await.location().contains("removed"));
    assert_eq!(app.refresh(&theirs.refresh).await.error(), (400, "invalid_grant".into()), "away or not");
    app.assert_refused(&theirs.access, "removed").await;
    assert_eq!(app.refresh(&mine.refresh).await.status, 200, "what was got in another way goes on");
});
