//! The whole server over real HTTP, on SQLite and on Postgres, spoken to as its users do: a browser, a wallet, an app, a developer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

#[path = "http/world.rs"]
mod world;

#[path = "http/actors.rs"]
mod actors;

#[path = "http/browser.rs"]
mod browser;

#[path = "http/app.rs"]
mod app;

#[path = "http/forge.rs"]
mod forge;

#[path = "http/signer.rs"]
mod signer;

#[path = "http/flow.rs"]
mod flow;

#[path = "http/redirect_uri.rs"]
mod redirect_uri;

#[path = "http/asset_issuer.rs"]
mod asset_issuer;

#[path = "http/authorize.rs"]
mod authorize;

#[path = "http/prompt.rs"]
mod prompt;

#[path = "http/interaction.rs"]
mod interaction;

#[path = "http/challenge.rs"]
mod challenge;

#[path = "http/redeem.rs"]
mod redeem;

#[path = "http/refresh.rs"]
mod refresh;

#[path = "http/revoke.rs"]
mod revoke;

#[path = "http/introspect.rs"]
mod introspect;

#[path = "http/client_auth.rs"]
mod client_auth;

#[path = "http/assertion.rs"]
mod assertion;

#[path = "http/client_credentials.rs"]
mod client_credentials;

#[path = "http/par.rs"]
mod par;

#[path = "http/device.rs"]
mod device;

#[path = "http/authenticator.rs"]
mod authenticator;

#[path = "http/passkey.rs"]
mod passkey;

#[path = "http/single_use.rs"]
mod single_use;

#[path = "http/passwords.rs"]
mod passwords;

#[path = "http/userinfo.rs"]
mod userinfo;

#[path = "http/claims.rs"]
mod claims;

#[path = "http/standard_claims.rs"]
mod standard_claims;

#[path = "http/claims_parameter.rs"]
mod claims_parameter;

#[path = "http/acr.rs"]
mod acr;

#[path = "http/resources.rs"]
mod resources;

#[path = "http/signed_userinfo.rs"]
mod signed_userinfo;

#[path = "http/api_challenge.rs"]
mod api_challenge;

#[path = "http/exchange.rs"]
mod exchange;

#[path = "http/details.rs"]
mod details;
#[path = "http/grants_api.rs"]
mod grants_api;

#[path = "http/assets_api.rs"]
mod assets_api;

#[path = "http/authzen.rs"]
mod authzen;

#[path = "http/identity.rs"]
mod identity;
#[path = "http/openapi.rs"]
mod openapi;

#[path = "http/token_exchange.rs"]
mod token_exchange;

#[path = "http/developer.rs"]
mod developer;

#[path = "http/pages.rs"]
mod pages;

#[path = "http/logout.rs"]
mod logout;

#[path = "http/listener.rs"]
mod listener;

#[path = "http/provider.rs"]
mod provider;

#[path = "http/upstream.rs"]
mod upstream;

#[path = "http/upstream_answers.rs"]
mod upstream_answers;

#[path = "http/backchannel.rs"]
mod backchannel;

#[path = "http/mailbox.rs"]
mod mailbox;

#[path = "http/email.rs"]
mod email;

#[path = "http/email_limits.rs"]
mod email_limits;

#[path = "http/notices.rs"]
mod notices;

#[path = "http/account.rs"]
mod account;

#[path = "http/linking.rs"]
mod linking;

#[path = "http/keys.rs"]
mod keys;

#[path = "http/limits.rs"]
mod limits;

#[path = "http/parsers.rs"]
mod parsers;

#[path = "http/logs.rs"]
mod logs;

#[path = "http/site.rs"]
mod site;

#[path = "http/registration.rs"]
mod registration;

#[path = "http/registration_management.rs"]
mod registration_management;

#[path = "http/client_documents.rs"]
mod client_documents;

#[path = "http/logo.rs"]
mod logo;

#[path = "http/conformance.rs"]
mod conformance;
