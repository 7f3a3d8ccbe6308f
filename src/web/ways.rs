//! The ways of signing in that are on at this server: the one place where each says so.

use super::ctx::Ctx;
use crate::domain::{AccountId, Provider};
use crate::policy::acr;
use crate::state::State;
use crate::store::StoreError;

/// The providers' ids, in the order of the page for who has never been here.
#[must_use]
pub fn on(state: &State) -> Vec<&str> {
    let signin = &state.config.signin;
    let email = state.mail.is_some() && state.config.email_codes.enabled;
    let ours = [
        (Provider::WEB3, signin.wallet),
        (Provider::PASSKEY, state.passkeys.is_some()),
        (Provider::EMAIL, email),
        (Provider::PASSWORD, state.passwords.is_some()),
    ]
    .into_iter()
    .filter_map(|(way, on)| on.then_some(way));
    ours.chain(state.config.upstreams.iter().map(|upstream| upstream.id.as_str())).collect()
}

#[must_use]
pub fn is_on(state: &State, provider: &str) -> bool {
    on(state).contains(&provider)
}

/// The levels (`acr`) that a sign-in here can have, as discovery lists them.
#[must_use]
pub fn levels(state: &State) -> Vec<&'static str> {
    acr::supported(on(state))
}

/// The ways by which somebody can show that they are the person of that account: what they have set up, but not `except`.
pub async fn of_account(ctx: &Ctx, account: AccountId, except: Option<(&Provider, &str)>) -> Result<Vec<String>, StoreError> {
    let account = ctx.state.store.account(account).await?;
    let identities = account.map(|account| account.identities).unwrap_or_default();
    let kept = identities.into_iter().filter(|identity| except != Some((&identity.provider, identity.subject.as_str())));
    Ok(kept.map(|identity| identity.provider.as_str().to_owned()).collect())
}
