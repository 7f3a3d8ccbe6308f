//! The pictures of apps: only pictures, only of a size, only from here.

use reqwest::Method;
use serde_json::{Value, json};

use crate::actors::{App, Browser, Wallet};
use crate::registration::registered;
use crate::site::{Page, Site, authority};
use crate::world::{REDIRECT_URI, World};
use crate::{on_both, on_one};

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest of it";

async fn app_with(world: &World, logo: &str) -> Value {
    registered(
        world,
        &json!({ "redirect_uris": [REDIRECT_URI], "logo_uri": logo, "token_endpoint_auth_method": "none", "client_name": "Pictured" }),
    )
    .await
}

on_both!(
    a_picture_is_fetched_once_and_served_from_here,
    [("REGISTRATION_ENABLED", "true"), ("EGRESS_EXTRA_CA_FILE", authority()), ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true")],
    |world| {
        let site = Site::open();
        // What its server says of it is not believed.
        site.put("/logo", Page::of("text/html", PNG));
        let got = app_with(&world, &site.url("/logo")).await;
        let id = got["client_id"].as_str().unwrap();
        let (app, browser, wallet) = (App::public(&world, id), Browser::new(&world), Wallet::new(1));
        let path = format!("/clients/{id}/logo");
        let picture = browser.get(&path).await;
        assert_eq!(
            (picture.status, picture.header("content-type"), picture.header("x-content-type-options")),
            (200, "image/png", "nosniff")
        );
        assert_eq!(picture.header("content-length"), PNG.len().to_string());
        assert!(
            picture.header("content-security-policy").contains("default-src 'none'")
                && picture.header("content-security-policy").contains("sandbox")
        );
        let again = browser.send(browser.request(Method::GET, &path).header("if-none-match", picture.header("etag"))).await;
        assert_eq!(again.status, 304);
        // Both pages show it, by an address of ours.
        let interaction = browser.begin(&app.request()).await;
        let shown = format!("<img class=\"app-logo\" alt=\"\" src=\"/clients/{id}/logo?v=");
        let page = browser.get(&interaction).await;
        assert!(page.is_sign_in() && page.body.contains(&shown) && !page.body.contains(&site.url("/logo")), "{}", page.body);
        assert!(page.header("content-security-policy").contains("img-src 'self' data:;"));
        assert_eq!(browser.sign_in(&interaction, &wallet).await.status, 200);
        let page = browser.get(&interaction).await;
        assert!(page.is_consent() && page.body.contains(&shown) && !page.body.contains(&site.url("/logo")), "{}", page.body);
        assert_eq!(site.asked("/logo"), 1);
        // Whoever has none shows none.
        assert!(
            !browser
                .get(&browser.begin(&App::public(&world, "app").request().with("prompt", "login")).await)
                .await
                .body
                .contains("app-logo")
        );
        for path in ["/clients/app/logo", "/clients/nobody/logo", "/clients/a%20b/logo"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
    }
);

on_one!(
    what_is_no_picture_is_not_served,
    [
        ("REGISTRATION_ENABLED", "true"),
        ("EGRESS_EXTRA_CA_FILE", authority()),
        ("EGRESS_ALLOW_PRIVATE_NETWORKS", "true"),
        ("LIMITS_REGISTRATIONS_PER_MINUTE", "1000")
    ],
    |world| {
        let site = Site::open();
        let browser = Browser::new(&world);
        for (place, page) in [
            Page::of("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            Page::of("image/png", "<html><script>alert(1)</script>"),
            Page::of("image/png", [PNG, &vec![0; 256 * 1024]].concat()),
            Page::of("image/png", PNG).status(500),
            Page::of("image/png", ""),
        ]
        .into_iter()
        .enumerate()
        {
            let path = format!("/{place}");
            site.put(&path, page);
            let got = app_with(&world, &site.url(&path)).await;
            let id = got["client_id"].as_str().unwrap();
            let answer = browser.get(&format!("/clients/{id}/logo")).await;
            assert!(answer.is_error_page(404), "{place}: {} {}", answer.status, answer.body);
            // Asking again does not make this server fetch again.
            assert_eq!(browser.get(&format!("/clients/{id}/logo")).await.status, 404);
            assert_eq!(site.asked(&path), 1, "{place}");
            let page = browser.get(&browser.begin(&App::public(&world, id).request()).await).await;
            assert!(page.is_sign_in() && !page.body.contains("app-logo"), "{place}");
        }
    }
);
