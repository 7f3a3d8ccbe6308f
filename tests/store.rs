//! The store's conformance suite: every verb, on SQLite and on Postgres alike.
//!
//! `both!` makes two tests of one: on a fresh SQLite file, and on a fresh database of the Postgres that
//! `LATCHKEY_TEST_POSTGRES` names.

#[cfg(test)]
mod store {
    pub(crate) mod accounts;
    pub(crate) mod assertions;
    pub(crate) mod assets;
    pub(crate) mod challenges;
    pub(crate) mod clients;
    pub(crate) mod codes;
    pub(crate) mod device;
    pub(crate) mod email_codes;
    pub(crate) mod engine;
    pub(crate) mod exchange;
    pub(crate) mod grants;
    pub(crate) mod harness;
    pub(crate) mod identities;
    pub(crate) mod identity;
    pub(crate) mod interactions;
    pub(crate) mod made;
    pub(crate) mod migrations;
    pub(crate) mod outbox;
    pub(crate) mod passkeys;
    pub(crate) mod passwords;
    pub(crate) mod plans;
    pub(crate) mod pushed;
    pub(crate) mod races;
    pub(crate) mod refresh;
    pub(crate) mod registrations;
    pub(crate) mod schema;
    pub(crate) mod sessions;
    pub(crate) mod signing_keys;
    pub(crate) mod sweep;
    pub(crate) mod trips;
    pub(crate) mod upstream_visits;
}
