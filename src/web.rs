//! The walls around the rooms: what a handler knows of its request, how it replies, how it fails; cookies, CSRF and headers.

pub mod asset_import;
pub mod assets;
pub mod bearer;
pub mod body;
pub mod caller;
pub mod client;
pub mod cookies;
pub mod ctx;
pub mod decision;
pub mod documents;
pub mod entry;
pub mod exchange;
pub mod fault;
pub mod granted;
pub mod living;
pub mod logo;
pub mod observe;
pub mod pages;
pub mod posted;
pub mod registration;
pub mod reply;
pub mod request;
pub mod respond;
pub mod session;
pub mod visit;
pub mod words;
