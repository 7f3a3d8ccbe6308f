//! The pure rules of OAuth, OpenID Connect and wallets: texts in, decisions and texts out. No I/O, no clock, no store.

pub mod eip191;
pub mod hash_claims;
pub mod pkce;
pub mod siwe;
