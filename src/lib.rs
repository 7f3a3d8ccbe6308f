//! Latchkey: an OAuth 2.1 and OpenID Connect authorization server for people who own assets by wallet, and for the apps they let in.
//!
//! The law of the tree is **parse → load → decide → commit → render**; `ARCHITECTURE.md` has the map.

pub mod account;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod egress;
pub mod endpoints;
pub mod home;
pub mod identity;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod oidc;
pub mod opening;
pub mod operations;
pub mod passwords;
pub mod permissions;
pub mod playground;
pub mod policy;
pub mod protocol;
pub mod routes;
pub mod signin;
pub mod state;
pub mod store;
pub mod tls;
pub mod tokens;
pub mod web;
pub mod worker;
