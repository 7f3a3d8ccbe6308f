//! Who reads: everybody where the registry is public; else whoever the access token is for, or nobody.

use crate::domain::{Address, Asset, ClientId, Owner};
use crate::endpoints::Endpoint;
use crate::policy::exchange::Shown;
use crate::policy::grants::{Acting, Sight};
use crate::state::{Mode, State};
use crate::web::bearer::{self, Refusal};
use crate::web::ctx::Ctx;
use crate::web::living::{Living, living};

/// Who reads.
#[derive(Clone, Debug)]
pub(super) enum Viewer {
    /// The registry is public: all see all.
    Everybody,
    /// The registry is not, and there is no token.
    Nobody,
    /// A client, in its own name or in that of a person.
    Client { client: ClientId, acting: Acting, first_party: bool },
}

/// The address of the API, which is its resource identifier too (RFC 9728 §1.2).
pub(super) fn address(state: &State) -> String {
    format!("{}{}", state.issuer(), Endpoint::Identity.path())
}

/// Who sent the request. In a public registry no token is looked at.
///
/// # Errors
/// For a token that is not good here. Without any, nothing is there to be seen, and that is no error.
pub(super) async fn of(ctx: &Ctx) -> Result<Viewer, Refusal> {
    if ctx.state.config.identity.registry_public.unwrap_or(ctx.state.mode == Mode::Dev) {
        return Ok(Viewer::Everybody);
    }
    let token = match bearer::in_header(ctx) {
        Ok(token) => token,
        Err(Refusal::NoToken) => return Ok(Viewer::Nobody),
        Err(refusal) => return Err(refusal),
    };
    let (client, claims) = bearer::verified(ctx, token).await?;
    if !(Shown { client: &client, audience: &claims.audience() }).is_for(&address(&ctx.state)) {
        return Err(bearer::for_another().into());
    }
    let acting = match living(ctx, &claims).await?.ok_or_else(bearer::ended)? {
        Living::Person(person) => Acting::For(person.account_id),
        Living::Developer(_) | Living::Client => Acting::Itself,
    };
    // As it is stored now: what decides access is never remembered.
    let record = ctx.state.store.client(&client).await?.ok_or_else(bearer::ended)?;
    Ok(Viewer::Client { client, acting, first_party: record.metadata.first_party })
}

impl Viewer {
    /// The client's own address, where it is a license that reads in its own name.
    pub(super) fn license(&self) -> Option<Address> {
        match self {
            Self::Client { client, acting: Acting::Itself, .. } => client.as_address(),
            Self::Client { .. } | Self::Everybody | Self::Nobody => None,
        }
    }

    /// How much it sees of an asset of its own list (see `vehicle::list`): one that it owns, or that is shared with it.
    pub(super) fn sight_of_listed(&self, asset: &Asset) -> Option<Sight> {
        match self {
            Self::Everybody | Self::Client { acting: Acting::For(_), first_party: true, .. } => Some(Sight::Whole),
            Self::Nobody => None,
            Self::Client { client, acting, .. } => {
                let licenses = client.as_address().is_some_and(|license| asset.owner == Some(Owner::Address(license)));
                match (licenses, acting) {
                    (true, Acting::Itself) => Some(Sight::Whole),
                    // What a license owns is no business of those who sign in to it.
                    (true, Acting::For(_)) => None,
                    (false, Acting::Itself | Acting::For(_)) => Some(Sight::Own),
                }
            }
        }
    }

    /// The one client whose grants are seen; `None`: those of all.
    pub(super) fn only(&self, sight: Sight) -> Option<ClientId> {
        match (self, sight) {
            (Self::Client { client, .. }, Sight::Own) => Some(client.clone()),
            (Self::Client { .. }, Sight::Whole) | (Self::Everybody | Self::Nobody, _) => None,
        }
    }
}
