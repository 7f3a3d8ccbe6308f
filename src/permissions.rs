//! What owners share and apps get of assets: the issuer of asset tokens, exchange and grants, as handlers.

mod access;
pub mod assets;
pub mod authzen;
pub mod exchange;
pub mod grants;
pub mod metadata;
pub mod openapi;
mod view;
