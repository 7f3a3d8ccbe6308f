//! Signing in: the page, each method, and consent. Every method ends in a session and returns to the dispatcher.

pub mod api;
mod asset_words;
mod assets;
pub mod device;
pub mod dispatch;
pub mod email;
pub mod page;
pub mod passkey;
pub mod password;
pub mod steps;
pub mod upstream;
pub mod wallet;
