//! `/account`: how do I come in, which apps know me, where am I signed in; add a way, save the profile, withdraw an app, sign out.

pub mod assets;
pub mod page;
mod profile;
pub mod steps;
pub mod ways;
