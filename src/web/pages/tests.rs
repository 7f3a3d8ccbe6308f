//! Every page with friendly facts (written to a folder, for looking at) and with hostile ones.

use askama::Template;

use super::{
    AccountPage, AccountPasswordPage, Aim, AppLine, Chain, ConsentPage, Destination, DeviceDonePage, DevicePage, EmailStage, ErrorPage,
    Fault, FormPostPage, Frame, HomePage, Link, LoggedOutPage, LogoutPage, ProfileField, RemovableWay, SignInPage, UpstreamButton, Ways,
};
use facts::{account, account_assets, blocks, consent, email, error, frame, remove_way, session, sign_in, way, way_name, ways};

mod facts;

const HOSTILE: &str = r#""><script>alert(1)</script><img src=x onerror='alert(2)'> javascript:alert(3) {{7*7}} &amp;"#;
const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// Every page, filled with `text` where a stranger can choose the words; `address` stands where an address goes.
fn pages(text: &str, address: &str) -> Vec<(&'static str, String)> {
    let s = || text.to_owned();
    let frame = || Frame { nonce: "bm9uY2U".to_owned(), title: s(), dev: true, request_id: s() };
    let all: Vec<(&'static str, Result<String, askama::Error>)> = vec![
        ("home", HomePage { frame: frame(), issuer: s() }.render()),
        (
            "signin",
            SignInPage {
                aim: Aim::SignIn,
                ways: ways(),
                frame: frame(),
                client_name: Some(s()),
                client_host: Some(s()),
                client_logo: None,
                user_code: Some(s()),
                interaction: s(),
                csrf: s(),
                chains: vec![Chain { id: 137, name: s() }],
                login_hint: Some(s()),
            }
            .render(),
        ),
        ("consent", consent(frame(), &s(), &s(), false).render()),
        ("consent_device", ConsentPage { destination: Destination::Device(s()), ..consent(frame(), &s(), &s(), false) }.render()),
        ("consent_assets", ConsentPage { assets: blocks(&s()), problem: Some(s()), ..consent(frame(), &s(), &s(), false) }.render()),
        ("account_assets", account_assets(frame(), &s()).render()),
        ("device", DevicePage { frame: frame(), csrf: s(), code: None, problem: Some(s()) }.render()),
        ("device_code", DevicePage { frame: frame(), csrf: s(), code: Some(s()), problem: None }.render()),
        ("email", email(frame(), EmailStage::Address { typed: s() }, &s()).render()),
        ("email_code", email(frame(), EmailStage::Code { email: s(), sent: true, alive: true }, &s()).render()),
        ("email_over", email(frame(), EmailStage::Code { email: s(), sent: false, alive: false }, &s()).render()),
        ("device_done", DeviceDonePage { frame: frame(), client_name: s(), allowed: true }.render()),
        ("device_denied", DeviceDonePage { frame: frame(), client_name: s(), allowed: false }.render()),
        (
            "account-password",
            AccountPasswordPage { frame: frame(), csrf: s(), emails: vec![s()], replaces: true, problem: Some(s()) }.render(),
        ),
        (
            "account-password-choice",
            AccountPasswordPage { frame: frame(), csrf: s(), emails: vec![s(), s()], replaces: false, problem: None }.render(),
        ),
        (
            "account",
            AccountPage {
                passwords: true,
                frame: frame(),
                csrf: s(),
                identities: vec![way(&s(), "/account/ways/remove?subject=x", true), way(&s(), "/", false)],
                notice: Some(s()),
                account_id: s(),
                apps: vec![AppLine {
                    client_id: s(),
                    name: s(),
                    scopes: vec![s(), s()],
                    since: s(),
                    start: Some(Link { href: address.to_owned(), label: s() }),
                }],
                sessions: vec![session(&s(), true), session(&s(), false)],
                profile: vec![ProfileField { name: s(), label: s(), value: s(), kind: s(), hint: s() }],
                saved: true,
                problem: Some(s()),
            }
            .render(),
        ),
        ("remove_way", remove_way(frame(), &s(), RemovableWay::Yes { left: vec![way_name(&s())], prove: false }).render()),
        ("remove_way_prove", remove_way(frame(), &s(), RemovableWay::Yes { left: vec![way_name(&s())], prove: true }).render()),
        ("remove_way_last", remove_way(frame(), &s(), RemovableWay::Last).render()),
        ("logout", LogoutPage { frame: frame(), csrf: s(), client_name: Some(s()), stays: true, hidden: vec![(s(), s())] }.render()),
        ("logged_out", LoggedOutPage { frame: frame() }.render()),
        ("form_post", FormPostPage { frame: frame(), action: address.to_owned(), fields: vec![(s(), s())] }.render()),
        (
            "error",
            ErrorPage {
                frame: frame(),
                status: 400,
                title: s(),
                what: s(),
                whose: Fault::App,
                todo: s(),
                detail: Some(s()),
                back: Some(Link { href: address.to_owned(), label: s() }),
            }
            .render(),
        ),
    ];
    all.into_iter().map(|(name, page)| (name, page.unwrap())).collect()
}

#[test]
fn hostile_words_stay_words() {
    for (name, page) in pages(HOSTILE, HOSTILE) {
        for raw in ["<script>", "<img src=x", "onerror='", "=\"\">"] {
            assert!(!page.contains(raw), "{name} lets {raw} through:\n{page}");
        }
        assert!(page.contains("&#60;script&#62;"), "{name} does not show what it was given");
        assert!(!page.contains("href=\"javascript:") && !page.contains("action=\"javascript:"), "{name}");
    }
}

#[test]
fn an_address_that_runs_script_is_no_link() {
    for address in
        ["javascript:alert(1)", " JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x", "//["]
    {
        for (name, page) in pages("words", address) {
            let shown = page.to_lowercase();
            assert!(!shown.contains("script:") && !shown.contains("data:text") && !shown.contains("blob:"), "{name} links to {address}");
        }
    }
    for address in ["https://acme.example/callback?a=1", "com.example.app:/callback", "/account", "http://127.0.0.1:8123/cb"] {
        for (name, page) in pages("words", address).into_iter().filter(|(name, _)| ["form_post", "error"].contains(name)) {
            assert!(page.contains(&format!("=\"{address}\"")), "{name} does not lead to {address}");
        }
    }
}

#[test]
fn nothing_is_inline_and_every_script_has_the_nonce() {
    for (name, page) in pages("words", "/account") {
        assert!(!page.contains(" style=") && !page.contains("<style"), "{name} has inline style");
        assert!(!page.contains(" onclick=") && !page.contains(" onsubmit=") && !page.contains(" onload="), "{name} has an inline handler");
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains("nonce=\"bm9uY2U\"") && tag.contains("src=\"/"), "{name}: <script{tag}>");
            assert!(script.split_once('>').unwrap().1.starts_with("</script>"), "{name} has inline script");
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    for (name, page) in pages("words", "/account") {
        for form in page.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            assert!(form.contains("method=\"post\""), "{name}: {form}");
            assert!(name == "form_post" || form.contains("name=\"csrf\" value=\"words\""), "{name}: {form}");
        }
    }
}

#[test]
fn the_networks_reach_the_script_as_json() {
    let page = SignInPage {
        aim: Aim::SignIn,
        ways: ways(),
        frame: frame("Sign in", false),
        client_name: None,
        client_host: None,
        client_logo: None,
        user_code: None,
        interaction: "i".into(),
        csrf: "c".into(),
        chains: vec![Chain { id: 137, name: "Polygon \"main\"".into() }, Chain { id: 1, name: "Ethereum".into() }],
        login_hint: None,
    };
    let html = page.render().unwrap();
    let attribute = html.split("data-chains=\"").nth(1).unwrap().split('"').next().unwrap();
    let json = attribute.replace("&#34;", "\"");
    assert_eq!(json, r#"[{"id":137,"name":"Polygon \"main\""},{"id":1,"name":"Ethereum"}]"#);
    assert!(!html.contains("/dev/wallet.js"), "the throw-away wallet is for development only");
    assert!(!html.contains("data-client") && html.contains("Sign in to your account"));
}

#[test]
fn the_ways_come_in_their_order_and_the_last_used_is_marked() {
    let mut page = sign_in(None, false);
    page.ways = Ways {
        upstreams: vec![UpstreamButton { id: "acme".to_owned(), name: "Acme".to_owned() }],
        order: vec!["acme".to_owned(), "web3".to_owned()],
        last: Some("acme".to_owned()),
        ..Ways::default()
    };
    let html = page.render().unwrap();
    let place = |text: &str| html.find(text).unwrap();
    assert!(place("data-way=\"acme\"") < place("Used last") && place("Used last") < place("data-way=\"web3\""), "{html}");
    assert_eq!(html.matches("Used last in this browser").count(), 1);
    assert!(!html.contains("Other ways to sign in"));
    page.ways = Ways::default();
    let html = page.render().unwrap();
    assert!(html.contains("There is no way to sign in") && !html.contains("signin.js"), "{html}");
}

#[test]
fn an_address_is_shortened_and_a_label_is_not() {
    assert_eq!(super::text::short(ADDRESS), "0x5290…9EE7");
    assert_eq!(super::text::short("someone@acme.example"), "someone@acme.example");
    assert_eq!(super::text::short("ééééééééééééééééééééé"), "ééééééééééééééééééééé");
    assert_eq!(super::text::initial("  <acme>"), "A");
    assert_eq!(super::text::initial("ßx"), "SS");
    assert_eq!(super::text::initial("!?"), "·");
}

#[test]
fn every_page_can_be_looked_at() {
    let long = ("The Municipal Vehicle Telemetry and Maintenance Planning Co-operative", "telemetry.municipal-vehicles.example:8443");
    let shown = [
        ("home", HomePage { frame: frame("Home", false), issuer: "https://id.acme.example".into() }.render()),
        ("home-dev", HomePage { frame: frame("Home", true), issuer: "http://localhost:8080".into() }.render()),
        ("signin", sign_in(Some(("Acme Fleet", "fleet.acme.example")), false).render()),
        ("signin-dev", sign_in(Some(("Acme Fleet", "fleet.acme.example")), true).render()),
        ("signin-account", sign_in(None, false).render()),
        ("signin-long", sign_in(Some(long), false).render()),
        ("signin-native", sign_in(Some(("Acme Fleet", "com.acme.fleet:")), false).render()),
        ("consent", consent(frame("Allow Acme Fleet", false), "Acme Fleet", "fleet.acme.example", false).render()),
        ("consent-more", consent(frame("Allow", true), long.0, long.1, true).render()),
        ("account", account(None, true).render()),
        ("account-empty", account(Some("The picture needs a web address that begins with https://."), false).render()),
        (
            "logout",
            LogoutPage {
                frame: frame("Sign out", false),
                csrf: "c".into(),
                client_name: Some("Acme Fleet".into()),
                stays: false,
                hidden: vec![],
            }
            .render(),
        ),
        (
            "logout-plain",
            LogoutPage {
                frame: frame("Sign out", false),
                csrf: "c".into(),
                client_name: None,
                stays: true,
                hidden: vec![("state".into(), "s".into())],
            }
            .render(),
        ),
        ("logged_out", LoggedOutPage { frame: frame("Signed out", false) }.render()),
        (
            "form_post",
            FormPostPage {
                frame: frame("One moment", false),
                action: "/app".into(),
                fields: vec![("code".into(), "abc".into()), ("submit".into(), "trap".into())],
            }
            .render(),
        ),
        (
            "error-app",
            error(
                Fault::App,
                "This link does not work",
                "Acme Fleet asked to send you to an address that is not registered for it, so you were not sent anywhere.",
                "Go back to Acme Fleet and tell its makers. They need what is written below.",
                Some("invalid_request: redirect_uri is not one of those registered for client \"acme\""),
                None,
            )
            .render(),
        ),
        (
            "error-you",
            error(
                Fault::You,
                "This sign-in is over",
                "It was finished in another tab, or it was left open for too long.",
                "Go back to the app and begin again.",
                None,
                Some(("https://fleet.acme.example/", "Go back to Acme Fleet")),
            )
            .render(),
        ),
    ];
    // LATCHKEY_PAGES names a folder: then the pages are written there, to be looked at in a browser.
    let folder = std::env::var_os("LATCHKEY_PAGES").map(std::path::PathBuf::from);
    for (name, page) in shown {
        let page = page.unwrap();
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"), "{name}");
        assert_eq!(page.matches("<h1").count(), 1, "{name} has one heading of the first level");
        assert_eq!(page.matches("<main").count(), 1, "{name}");
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
        }
    }
}
