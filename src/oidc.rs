//! The OpenID provider: discovery and keys, authorize, token, userinfo, logout.

pub mod authorize;
pub mod logout;
pub mod metadata;
pub mod par;
pub mod token;
pub mod userinfo;
