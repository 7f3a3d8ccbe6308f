//! The store's conformance suite: every verb, on SQLite and on Postgres alike.
//!
//! `both!` makes two tests of one: on a fresh SQLite file, and on a fresh database of the Postgres that
//! `LATCHKEY_TEST_POSTGRES` names.

mod store {
    pub(crate) mod codes;
    pub(crate) mod harness;
    pub(crate) mod made;
    pub(crate) mod schema;
}
