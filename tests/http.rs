//! The whole server over real HTTP, on SQLite and on Postgres, spoken to as its users do: a browser, a wallet, an app, a developer.

#[path = "http/world.rs"]
mod world;

#[path = "http/actors.rs"]
mod actors;

#[path = "http/flow.rs"]
mod flow;
