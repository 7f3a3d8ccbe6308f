//! The OpenID provider: discovery and keys, authorize, token, userinfo, logout, and the registration of apps.

pub mod authorize;
mod client_form;
pub mod device;
pub mod introspect;
pub mod logo;
pub mod logout;
pub mod metadata;
pub mod par;
pub mod registration;
pub mod revoke;
pub mod token;
pub mod userinfo;
