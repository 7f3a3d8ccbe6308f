//! From names to addresses that may be spoken to. The HTTP client connects to what comes out of here and asks nobody else.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::error::NotPublic;
use super::walls::Walls;

/// What knows the addresses of names.
#[derive(Clone, Debug, Default)]
pub enum Names {
    /// The system's resolver.
    #[default]
    System,
    /// A list that a test has written; other names do not exist.
    Fixed(Arc<HashMap<String, Vec<IpAddr>>>),
}

impl Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()),
            Self::Fixed(list) => list.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }
}

/// The resolver with the walls behind it.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) names: Names,
    pub(super) walls: Walls,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, walls) = (self.names.clone(), self.walls.clone());
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let addresses = names.addresses(&name).await.map_err(|_| io::Error::other(format!("{name} has no address")))?;
            // One address inside among public ones is a trick, or a mistake that would work every other time.
            if let Some(inside) = addresses.iter().find(|address| !walls.admit(**address)) {
                tracing::info!(name, address = %inside, "a fetch was refused: the name leads to an address that is not public");
                return Err(NotPublic(name).into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
