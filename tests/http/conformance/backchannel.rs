//! Logout that is told to apps behind the browser's back: what discovery says of it, and what an app hears.

use std::time::Duration;

use latchkey::domain::{AuthMethod, Pkce, TokenHash};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::discovery::{HTTPS, discovered};
use super::logout::{assert_signed_out, farewell, goodbye};
use super::registering::INSIDE;
use super::suite::{Mode, Suite, long_state};
use crate::actors::{Form, decode};
use crate::world::{ISSUER, SECRET, World};
use crate::{forge, on_both};

on_both!(oidcc_backchannel_logout_discovery_endpoint_verification, [HTTPS], |world| {
    let said = discovered(&world).await;
    assert_eq!((&said["backchannel_logout_supported"], &said["backchannel_logout_session_supported"]), (&json!(true), &json!(true)));
    assert!(said["end_session_endpoint"].is_string());
});

/// An app's own server: it writes down what is posted to it, and says 200.
struct Bell {
    uri: String,
    heard: mpsc::UnboundedReceiver<String>,
}

impl Bell {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/backchannel_logout", listener.local_addr().unwrap());
        let (book, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut buffer = [0; 4_096];
                while !is_whole(&String::from_utf8_lossy(&request)) {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => break,
                        Ok(read) => request.extend_from_slice(&buffer[..read]),
                    }
                }
                let _ = book.send(String::from_utf8_lossy(&request).into_owned());
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            }
        });
        Self { uri, heard }
    }

    /// The next request; it comes by itself, soon.
    async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await.unwrap_or_else(|_| panic!("nobody called")).unwrap()
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    body.len() >= length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

async fn client_at(world: &World, uri: &str) {
    world
        .client("belled", |client| {
            client.auth_method = AuthMethod::ClientSecret;
            client.secret_hash = Some(TokenHash::of(SECRET));
            client.pkce = Pkce::Optional;
            client.backchannel_logout_uri = Some(uri.to_owned());
            client.metadata.backchannel_logout_session_required = true;
        })
        .await;
}

on_both!(oidcc_backchannel_rp_initiated_logout, [INSIDE], |world| {
    let mut bell = Bell::new().await;
    client_at(&world, &bell.uri).await;
    let suite = &Suite::new(&world, Mode::Query).await.with_app("belled");
    let tokens = suite.tokens(&suite.request().with("state", &long_state())).await;
    let back = goodbye(suite, &farewell(&tokens)).await;
    assert_eq!(back.redirect().encode(), Form::of(&[("state", &long_state())]).encode());

    let request = bell.next().await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /backchannel_logout "), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["logout_token"], "and nothing else");
    let token = &fields[0].1;
    assert!(forge::verifies(&forge::jwks(&suite.browser).await, token));
    let (claims, id) = (decode(token).1, decode(&tokens.id).1);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!("belled")));
    assert_eq!((&claims["sub"], &claims["sid"]), (&id["sub"], &id["sid"]));
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert!(claims["iat"].is_i64() && claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()), "{claims}");
    assert!(claims.get("nonce").is_none(), "{claims}");
    assert_signed_out(suite).await;
});
