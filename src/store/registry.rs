//! Every SQL text of the store in one list, so that a test can prepare each of them on both engines.

use super::{
    accounts, agreements, assertions, asset_claims, asset_imports, asset_pages, assets, challenges, clients, codes, consents,
    developer_tokens, devices, email_codes, endings, exchange, families, grant_history, grant_lists, grants, identities, identity,
    identity_licenses, interactions, licenses, logos, mails, notices, outbox, passkeys, passwords, persons, pushed_requests, registrations,
    revocations, sessions, signing_keys, sweep, tries, upstream_visits,
};

/// One SQL text, and where it is declared.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The module's path.
    pub place: &'static str,
    /// The constant's name.
    pub name: &'static str,
    pub text: &'static str,
}

/// Every SQL text that the store runs on both engines.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    [
        accounts::STATEMENTS,
        agreements::STATEMENTS,
        assertions::STATEMENTS,
        asset_claims::STATEMENTS,
        asset_imports::STATEMENTS,
        asset_pages::STATEMENTS,
        assets::STATEMENTS,
        challenges::STATEMENTS,
        clients::read::STATEMENTS,
        clients::write::STATEMENTS,
        codes::STATEMENTS,
        consents::STATEMENTS,
        developer_tokens::STATEMENTS,
        devices::STATEMENTS,
        email_codes::STATEMENTS,
        endings::STATEMENTS,
        exchange::STATEMENTS,
        families::STATEMENTS,
        grant_history::STATEMENTS,
        grant_lists::STATEMENTS,
        grants::STATEMENTS,
        identities::STATEMENTS,
        identity::STATEMENTS,
        identity_licenses::STATEMENTS,
        interactions::STATEMENTS,
        licenses::STATEMENTS,
        logos::STATEMENTS,
        mails::STATEMENTS,
        notices::STATEMENTS,
        outbox::STATEMENTS,
        passkeys::STATEMENTS,
        passwords::STATEMENTS,
        persons::STATEMENTS,
        registrations::STATEMENTS,
        pushed_requests::STATEMENTS,
        revocations::STATEMENTS,
        sessions::STATEMENTS,
        signing_keys::STATEMENTS,
        sweep::STATEMENTS,
        upstream_visits::STATEMENTS,
        tries::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}
