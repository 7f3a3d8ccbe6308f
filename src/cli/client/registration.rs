//! How an app proves itself and what it may ask for: options that `client create` and `client update` share, and licenses have not.

use std::path::PathBuf;

use clap::Args;

use crate::cli::desk::Desk;
use crate::cli::out::Failure;
use crate::config::{Proof, method_for, read_jwks};
use crate::domain::{AuthMethod, GrantType, Held, Scope, SigningAlg};
use crate::egress::Egress;
use crate::store::ClientRecord;

#[derive(Debug, Args)]
pub(super) struct Registration {
    /// A file with its public keys (a JWK set): it proves itself by signed assertions, and has no secret
    #[arg(long, value_name = "FILE", group = "credential")]
    jwks_file: Option<PathBuf>,
    /// The https address of its public keys (a JWK set): it proves itself by signed assertions, and has no secret
    #[arg(long, value_name = "URL", group = "credential")]
    jwks_uri: Option<String>,
    /// How it proves itself, where a secret is to come by Basic alone, or in the form alone
    #[arg(long, value_name = "client_secret|client_secret_basic|client_secret_post|private_key_jwt|none")]
    auth_method: Option<AuthMethod>,
    /// The only algorithm that its assertions may be signed with
    #[arg(long, value_name = "RS256|PS256|ES256|EdDSA")]
    auth_signing_alg: Option<SigningAlg>,
    // The two of `ClientMetadata::default`.
    /// The grants that it may use; one or more; without it, those of signing people in
    #[arg(long = "grant-type", value_name = "GRANT", num_args = 1..)]
    grant_types: Vec<GrantType>,
    /// The scopes that it may ask for, with spaces between them; for itself it gets no others
    #[arg(long)]
    scope: Option<Scope>,
    /// Whether it must push its authorization requests (RFC 9126)
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_pushed_authorization_requests: Option<bool>,
}

impl Registration {
    /// The parts of a client that were asked for.
    pub(super) fn parts(&self) -> impl Iterator<Item = Held> {
        let proof = self.has_keys() || self.auth_method.is_some() || self.auth_signing_alg.is_some();
        [
            proof.then_some(Held::TokenEndpointAuthMethod),
            (!self.grant_types.is_empty()).then_some(Held::GrantTypes),
            self.scope.as_ref().map(|_| Held::Scope),
            self.require_pushed_authorization_requests.map(|_| Held::RequirePushedAuthorizationRequests),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether it brings keys.
    pub(super) fn has_keys(&self) -> bool {
        self.jwks_file.is_some() || self.jwks_uri.is_some()
    }

    /// Writes what was asked for into a record whose secret is settled already. A secret and keys are never there together.
    pub(super) fn apply(self, record: &mut ClientRecord, desk: &Desk) -> Result<(), Failure> {
        let metadata = &mut record.metadata;
        if self.jwks_file.is_some() || self.jwks_uri.is_some() || record.secret_hash.is_some() {
            (metadata.jwks, metadata.jwks_uri) = (None, None);
        }
        if let Some(path) = &self.jwks_file {
            metadata.jwks = Some(read_jwks(path).map_err(Failure)?);
        }
        if let Some(uri) = self.jwks_uri {
            let egress = Egress::new(&desk.config.egress).map_err(|reason| Failure(reason.to_string()))?;
            egress.check_url(&uri).map_err(|reason| Failure(format!("--jwks-uri: {reason}")))?;
            metadata.jwks_uri = Some(uri);
        }
        let proof = if metadata.jwks.is_some() || metadata.jwks_uri.is_some() {
            record.secret_hash = None;
            Proof::Keys
        } else if record.secret_hash.is_some() {
            Proof::Secret
        } else {
            Proof::Nothing
        };
        // What is registered stays where nothing else is asked for and it still fits.
        let asked = self.auth_method.or_else(|| method_for(proof, Some(record.auth_method)).ok());
        record.auth_method = method_for(proof, asked).map_err(|(_, problem)| Failure(format!("--auth-method {problem}")))?;
        metadata.token_endpoint_auth_signing_alg = self.auth_signing_alg.or(metadata.token_endpoint_auth_signing_alg);
        if !self.grant_types.is_empty() {
            metadata.grant_types = self.grant_types.into_iter().collect();
        }
        metadata.scope = self.scope.or(metadata.scope.take());
        metadata.require_pushed_authorization_requests =
            self.require_pushed_authorization_requests.unwrap_or(metadata.require_pushed_authorization_requests);
        Ok(())
    }
}
