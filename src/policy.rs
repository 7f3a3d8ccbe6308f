//! The rules: pure functions from facts to decisions. No I/O, no clock, no chance.

pub mod acr;
pub mod api_access;
pub mod asset_access;
pub mod asset_claims;
pub mod authorize;
pub mod claims;
pub mod client_assertion;
pub mod client_auth;
pub mod client_credentials;
pub mod device;
pub mod email_code;
pub mod exchange;
pub mod grants;
pub mod introspection;
pub mod passkey;
pub mod person_claims;
pub mod redeem;
pub mod refresh;
pub mod registration;
pub mod subject;
pub mod upstream;
pub mod wallet;
pub mod ways;
