//! `/account`: how do I come in, which apps know me, where am I signed in; add a way, save the profile, withdraw an app, sign out.

pub mod assets;
pub mod page;
pub mod password;
mod profile;
pub mod steps;
pub mod ways;
