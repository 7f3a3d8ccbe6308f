//! What owners share and apps get of assets: the issuer of asset tokens, exchange and grants, as handlers.

pub mod exchange;
pub mod metadata;
