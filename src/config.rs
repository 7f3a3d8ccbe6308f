//! The configuration: one TOML file, `LATCHKEY_…` environment variables and flags, read into types that cannot be wrong.
//!
//! In comes text from those three places (a flag wins over the environment, the environment over the file); out goes
//! [`Config`], or every problem at once, each with its path and the place it came from. The settings themselves stand in
//! one table, `config/settings.rs`: defaults, names, ranges and documentation are all taken from there.
//! Nothing here opens a database or a port.

mod asset_issuer;
mod checks;
mod client_rules;
mod clients;
mod errors;
mod handover;
mod issuer;
mod load;
mod log_filter;
mod mail;
mod network;
mod reference;
mod resources;
mod settings;
mod span;
mod table;
mod upstreams;
mod value;
mod vocabulary;

pub use asset_issuer::{AssetIssuer, AssetIssuerError};
pub(crate) use checks::check_audience;
pub use client_rules::check_secret;
pub(crate) use client_rules::{Proof, check_client, check_logout_uri, check_logout_uri_here, method_for, read_jwks};
pub use clients::{ClientEntry, Credential, MAX_ACCESS_TOKEN, MAX_DEVELOPER_TOKEN, MIN_SECRET, MIN_TOKEN};
pub use errors::{ConfigError, ConfigErrors, Source};
pub use issuer::{Issuer, IssuerError};
pub use load::Flags;
pub use log_filter::log_filter;
pub use mail::{Sender, SmtpSecurity, SmtpUrl};
pub use network::Network;
pub use reference::{README_BEGIN, README_END, example_file, markdown};
pub use settings::{
    Assets, Config, Data, Database, Egress, EmailCodes, Identity, Interaction, Keys, Limits, Log, Mail, Passwords, PushedRequests, Server,
    Session, Signin, Tls, Tokens, Wallet,
};
pub use span::{parse_span, span_words};
pub use table::Effective;
pub use upstreams::{Upstream, UpstreamCredential};
pub use value::{DatabaseUrl, LogFormat, WebPage};
