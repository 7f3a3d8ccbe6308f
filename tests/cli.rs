//! The command line, run as an operator runs it: the real binary, a folder of its own, its exit code, its JSON and its words.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod cli {
    pub(crate) mod accounts;
    pub(crate) mod assets;
    pub(crate) mod clients;
    pub(crate) mod compose;
    pub(crate) mod configuration;
    pub(crate) mod keys;
    pub(crate) mod licenses;
    pub(crate) mod operator;
    pub(crate) mod postgres;
    pub(crate) mod server;
    pub(crate) mod tls;
}
