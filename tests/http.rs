//! The whole server over real HTTP, on SQLite and on Postgres, spoken to as its users do: a browser, a wallet, an app, a developer.

#[path = "http/world.rs"]
mod world;

#[path = "http/actors.rs"]
mod actors;

#[path = "http/browser.rs"]
mod browser;

#[path = "http/app.rs"]
mod app;

#[path = "http/forge.rs"]
mod forge;

#[path = "http/flow.rs"]
mod flow;

#[path = "http/redirect_uri.rs"]
mod redirect_uri;

#[path = "http/authorize.rs"]
mod authorize;

#[path = "http/prompt.rs"]
mod prompt;
