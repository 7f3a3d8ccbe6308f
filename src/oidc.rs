//! The OpenID provider: discovery and keys, authorize, token, userinfo, logout, and the registration of apps.

pub mod authorize;
pub mod logo;
pub mod logout;
pub mod metadata;
pub mod registration;
pub mod token;
pub mod userinfo;
