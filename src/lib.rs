//! Latchkey: an OAuth 2.1 and OpenID Connect authorization server for people who own assets by wallet, and for the apps they let in.
//!
//! The law of the tree is **parse → load → decide → commit → render**; `ARCHITECTURE.md` has the map.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod keys;
pub mod protocol;
pub mod store;
