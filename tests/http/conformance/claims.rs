//! The parameter `claims`: what is asked for by name is told where it was asked for.

use serde_json::json;

use super::answers::check;
use crate::actors::{Form, decode};
use crate::module;

module!(oidcc_claims_essential, |suite| {
    let page = suite.browser.sign_in_to_account(&suite.wallet).await;
    let form = Form::of(&[("csrf", &page.csrf()), ("name", "Ada Lovelace")]);
    assert_eq!(suite.browser.post_form("/account/profile", &form).await.status, 303);
    let claims = json!({ "userinfo": { "name": { "essential": true } } }).to_string();
    let tokens = suite.tokens(&suite.request().with("claims", &claims)).await;
    let told = check(&suite.app.userinfo(&tokens.access).await, &tokens);
    assert_eq!(told["name"], "Ada Lovelace");
    assert!(decode(&tokens.id).1.get("name").is_none(), "it was asked for at userinfo");
});
