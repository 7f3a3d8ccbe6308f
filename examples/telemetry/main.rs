//! A resource server: made-up data of vehicles, for whoever shows an asset token that is for the vehicle and for what is asked.
//!
//! It checks tokens by itself, with the published keys (`keys.rs`), and answers as RFC 6750 and RFC 9728 say. It uses nothing of the
//! server but its addresses, so it can be taken as the beginning of a resource server of one's own.
//!
//! `cargo run --example telemetry -- --server http://localhost:8080 --listen 127.0.0.1:8090`
#![expect(clippy::print_stdout, reason = "it says where it listens")]

mod keys;
mod token;
mod vehicles;

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use clap::Parser;
use serde_json::{Value, json};

use crate::keys::Keys;
use crate::token::{AssetToken, Expected, Refusal};

#[derive(Debug, Parser)]
struct Options {
    /// The authorization server, at which apps get tokens.
    #[arg(long, default_value = "http://localhost:8080")]
    server: String,
    /// The `iss` of asset tokens [default: {server}/assets]
    #[arg(long)]
    issuer: Option<String>,
    /// What this service is called in the `aud` of asset tokens.
    #[arg(long, default_value = "dimo.zone")]
    audience: String,
    /// Seconds between two fetches of keys, whatever tokens name.
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// Where to answer.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

/// A kind of data: its name, the permission that it takes, and what makes it up.
type Kind = (&'static str, &'static str, fn(&str) -> Value);

const KINDS: &[Kind] = &[
    ("history", "privilege:GetNonLocationHistory", vehicles::history),
    ("location", "privilege:GetCurrentLocation", vehicles::location),
    ("locations", "privilege:GetLocationHistory", vehicles::locations),
];

struct Service {
    address: String,
    server: String,
    expected: Expected,
    keys: Keys,
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let server = options.server.trim_end_matches('/').to_owned();
    let issuer = options.issuer.unwrap_or_else(|| format!("{server}/assets"));
    let listener = std::net::TcpListener::bind(options.listen)?;
    let address = format!("http://{}", listener.local_addr()?);
    println!("{address}");
    let keys = Keys::new(&issuer, Duration::from_secs(options.patience));
    let expected = Expected { issuer, audience: options.audience };
    let service = Data::new(Service { address, server, expected, keys });
    HttpServer::new(move || {
        App::new()
            .app_data(service.clone())
            .route("/.well-known/oauth-protected-resource", web::get().to(metadata))
            .route("/vehicles/{did}/{kind}", web::get().to(vehicle))
    })
    .workers(1)
    .listen(listener)?
    .run()
    .await?;
    Ok(())
}

/// RFC 9728 §2: where a client gets tokens for this service, and how it sends them.
async fn metadata(service: Data<Service>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "resource": service.address,
        "authorization_servers": [service.server],
        "bearer_methods_supported": ["header"],
        "scopes_supported": KINDS.iter().map(|(_, permission, _)| permission).collect::<Vec<_>>(),
        "resource_name": "Telemetry",
    }))
}

async fn vehicle(service: Data<Service>, request: HttpRequest, path: Path<(String, String)>) -> HttpResponse {
    let (did, kind) = path.into_inner();
    let Some((_, permission, data)) = KINDS.iter().find(|(name, ..)| *name == kind) else { return HttpResponse::NotFound().finish() };
    match allowed(&service, &request, &did, permission).await {
        Ok(token) => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({
            "asset": token.asset,
            kind: data(&token.asset),
        })),
        Err(refusal) => refused(&service, &refusal),
    }
}

async fn allowed(service: &Service, request: &HttpRequest, did: &str, permission: &'static str) -> Result<AssetToken, Refusal> {
    // RFC 6750 §2.1. A token in a query ends up in logs: it is not even looked at.
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(Refusal::NoToken)?;
    let (_, text) = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).ok_or(Refusal::NoToken)?;
    let token = AssetToken::verify(text.trim(), &service.expected, &service.keys).await?;
    // The two things that are this service's own to check: which vehicle, and what for.
    let covers = token.asset.eq_ignore_ascii_case(did) && token.permissions.iter().any(|granted| granted == permission);
    if covers { Ok(token) } else { Err(Refusal::NotCovered { permission }) }
}

// RFC 6750 §3 and §3.1; RFC 9728 §5.1 for `resource_metadata`.
fn refused(service: &Service, refusal: &Refusal) -> HttpResponse {
    let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", service.address);
    let (mut response, error, description, challenge) = match refusal {
        // "the resource server SHOULD NOT include an error code or other error information"
        Refusal::NoToken => {
            return HttpResponse::Unauthorized().insert_header((header::WWW_AUTHENTICATE, format!("Bearer {metadata}"))).finish();
        }
        Refusal::Invalid(why) => (HttpResponse::Unauthorized(), "invalid_token", *why, String::new()),
        Refusal::NotCovered { permission } => (
            HttpResponse::Forbidden(),
            "insufficient_scope",
            "the token is not for this vehicle and this permission",
            format!("scope=\"{permission}\", "),
        ),
        Refusal::NoKeys => {
            return HttpResponse::ServiceUnavailable()
                .insert_header((header::RETRY_AFTER, "5"))
                .json(json!({ "error": "temporarily_unavailable", "error_description": "the keys of the issuer cannot be fetched" }));
        }
    };
    let challenge = format!("Bearer error=\"{error}\", error_description=\"{description}\", {challenge}{metadata}");
    response.insert_header((header::WWW_AUTHENTICATE, challenge)).json(json!({ "error": error, "error_description": description }))
}
