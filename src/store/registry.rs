//! Every SQL text of the store in one list, so that a test can prepare each of them on both engines.

use super::{
    accounts, challenges, clients, codes, consents, developer_tokens, endings, interactions, licenses, logos, outbox, persons,
    registrations, sessions, signing_keys, sweep,
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
        challenges::STATEMENTS,
        clients::read::STATEMENTS,
        clients::write::STATEMENTS,
        codes::STATEMENTS,
        consents::STATEMENTS,
        developer_tokens::STATEMENTS,
        endings::STATEMENTS,
        interactions::STATEMENTS,
        licenses::STATEMENTS,
        logos::STATEMENTS,
        outbox::STATEMENTS,
        persons::STATEMENTS,
        registrations::STATEMENTS,
        sessions::STATEMENTS,
        signing_keys::STATEMENTS,
        sweep::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}
