//! The standard claims of `email`, `address` and `phone`: written on the account page, told to the apps that were allowed them.

use serde_json::{Value, json};

use crate::actors::{App, Browser, Form, Tokens, Wallet};
use crate::on_both;
use crate::world::World;

/// Fills in the profile of the person with that wallet, signed in if they were not.
pub(crate) async fn fill_in(browser: &Browser<'_>, wallet: &Wallet, fields: &[(&str, &str)]) {
    let page = browser.get("/account").await;
    let page = if page.status == 200 { page } else { browser.sign_in_to_account(wallet).await };
    let form = fields.iter().fold(Form::of(&[("csrf", &page.csrf())]), |form, (name, value)| form.and(name, value));
    assert_eq!(browser.post_form("/account/profile", &form).await.location(), "/account?saved=1#profile");
}

async fn told(world: &World, browser: &Browser<'_>, scope: &str) -> (Value, Value) {
    let app = App::public(world, "app");
    let back = browser.authorize(&app.request().with("scope", scope), &Wallet::new(1)).await;
    let tokens = Tokens::read(&app.redeem(&back.query("code").unwrap()).await);
    let mut told = app.userinfo(&tokens.access).await.json();
    told.as_object_mut().unwrap().remove("sub");
    (told, tokens.claims().1)
}

on_both!(each_scope_tells_what_the_person_has_written_and_that_nobody_checked_it, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    fill_in(
        &browser,
        &wallet,
        &[
            ("email", " ada@example.org "),
            ("phone_number", "+351 912-345-678"),
            ("street_address", "Rua Augusta 1"),
            ("locality", "Lisboa"),
            ("region", " "),
            ("country", "Portugal"),
        ],
    )
    .await;
    let (email, id) = told(&world, &browser, "openid email").await;
    let address_of_wallet = wallet.address.to_string();
    assert_eq!(email, json!({ "email": "ada@example.org", "email_verified": false, "ethereum_address": address_of_wallet }));
    // OpenID Connect Core §5.4: with an access token, scope claims come from userinfo.
    assert!(id.get("email").is_none() && id.get("email_verified").is_none());
    let (phone, _) = told(&world, &browser, "openid phone").await;
    assert_eq!(phone, json!({ "phone_number": "+351912345678", "phone_number_verified": false }));
    let (address, _) = told(&world, &browser, "openid address").await;
    assert_eq!(
        address,
        json!({ "address": {
            "formatted": "Rua Augusta 1\nLisboa\nPortugal", "street_address": "Rua Augusta 1", "locality": "Lisboa", "country": "Portugal"
        } })
    );
    let (profile, _) = told(&world, &browser, "openid profile").await;
    assert!(profile["updated_at"].is_i64(), "{profile}");
    assert_eq!(profile.as_object().unwrap().len(), 1, "nothing that is empty: {profile}");
    // What is taken out is gone.
    fill_in(&browser, &wallet, &[("country", "")]).await;
    assert_eq!(told(&world, &browser, "openid address phone").await.0, json!({}));
    assert_eq!(told(&world, &browser, "openid email").await.0, json!({ "ethereum_address": address_of_wallet }));
});

on_both!(what_the_person_has_not_proved_is_no_email_of_a_compat_token, |world| {
    let license = world.license(Wallet::new(9).address).await;
    let (app, browser, wallet) = (App::public(&world, license.id.as_str()), Browser::new(&world), Wallet::new(1));
    fill_in(&browser, &wallet, &[("email", "somebody-else@example.org")]).await;
    let tokens = app.tokens(&browser, &wallet).await;
    let (access, id) = tokens.claims();
    for claims in [&access, &id] {
        assert_eq!((claims.get("email"), &claims["email_verified"]), (None, &json!(false)));
    }
    let told = app.userinfo(&tokens.access).await.json();
    assert_eq!((&told["email"], &told["email_verified"]), (&json!("somebody-else@example.org"), &json!(false)));
});

on_both!(the_form_keeps_only_what_fits, |world| {
    let (browser, wallet) = (Browser::new(&world), Wallet::new(1));
    let page = browser.sign_in_to_account(&wallet).await;
    for name in ["email", "phone_number", "street_address", "postal_code", "locality", "region", "country"] {
        assert!(page.body.contains(&format!("<label for=\"profile-{name}\">")), "{name} has a label");
    }
    for (name, value) in [
        ("email", "ada"),
        ("email", "ada@example.org, eve@example.org"),
        ("phone_number", "911"),
        ("phone_number", "+1<script>"),
        ("country", "a\u{7}b"),
        ("street_address", &"x".repeat(301)),
    ] {
        let answer = browser.post("/account/profile", &[("csrf", &page.csrf()), (name, value)]).await;
        assert!(answer.status == 400 && answer.body.contains("Your profile was not saved"), "{name} {value}: {}", answer.status);
    }
    assert_eq!(world.state.store.accounts().await.unwrap()[0].profile, latchkey::store::Profile::default());
});
