//! The rules: pure functions from facts to decisions. No I/O, no clock, no chance.

pub mod authorize;
pub mod claims;
pub mod client_auth;
pub mod redeem;
pub mod registration;
pub mod subject;
pub mod wallet;
