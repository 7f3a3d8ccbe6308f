//! `/account`: who am I, which apps know me, where am I signed in; save the profile, withdraw an app, sign out.

pub mod assets;
pub mod page;
pub mod password;
mod profile;
pub mod steps;
