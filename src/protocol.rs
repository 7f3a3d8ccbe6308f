//! OAuth, OpenID Connect and the wallet's texts, as the standards write them: pure parsing and composing.

pub mod asset_exchange;
pub mod authorization_details;
pub mod authorize;
pub mod authzen;
pub mod claims_request;
pub mod client_assertion;
pub mod client_document;
pub mod client_registration;
pub mod device;
pub mod eip191;
pub mod error;
pub mod grant_request;
pub mod hash_claims;
pub mod paging;
pub mod params;
pub mod pkce;
pub mod problem;
pub mod resource;
pub mod siwe;
pub mod standard_claims;
pub mod token_exchange;
pub mod upstream;
