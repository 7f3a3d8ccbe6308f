//! Sweeping: what has expired is deleted, in small batches, so that nothing grows for ever and no request waits long.

use std::time::Duration;

use super::dialect::{sql, write_one};
use super::{Store, StoreError};
use crate::domain::Timestamp;

/// How many rows of each table were swept away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub sessions: u64,
    pub interactions: u64,
    pub posted_forms: u64,
    pub signin_challenges: u64,
    pub passkey_challenges: u64,
    pub upstream_visits: u64,
    pub api_challenges: u64,
    pub codes: u64,
    pub developer_tokens: u64,
    pub refresh_tokens: u64,
    pub revocations: u64,
    pub pushed_requests: u64,
    pub devices: u64,
    pub messages: u64,
    pub assertions: u64,
    pub signing_keys: u64,
    /// That let themselves in, and that nobody ever agreed to.
    pub clients: u64,
    pub asset_claims: u64,
    pub grants: u64,
    pub email_codes: u64,
    pub mails: u64,
    pub try_counts: u64,
}

impl Swept {
    /// All of them together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.sessions
            + self.interactions
            + self.posted_forms
            + self.signin_challenges
            + self.passkey_challenges
            + self.upstream_visits
            + self.api_challenges
            + self.codes
            + self.developer_tokens
            + self.refresh_tokens
            + self.revocations
            + self.pushed_requests
            + self.devices
            + self.messages
            + self.assertions
            + self.signing_keys
            + self.clients
            + self.asset_claims
            + self.grants
            + self.email_codes
            + self.mails
            + self.try_counts
    }
}

/// As many rows as the texts below delete at a time.
const BATCH: u64 = 500;
/// The same of clients: with each go its rows in tables that have no index for it.
const BATCH_OF_CLIENTS: u64 = 20;

/// How long a device authorization, or a code that was mailed, is kept after its end.
const DEVICES_KEPT: Duration = Duration::from_hours(1);
const EMAIL_CODES_KEPT: Duration = Duration::from_hours(1);

sql! {
    SESSIONS = "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    INTERACTIONS =
        "DELETE FROM interaction WHERE id IN (SELECT id FROM interaction WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    FORMS = "
        DELETE FROM posted_form
        WHERE id_hash IN (SELECT id_hash FROM posted_form WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    SIGNIN_CHALLENGES = "
        DELETE FROM signin_challenge
        WHERE id IN (SELECT id FROM signin_challenge WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    PASSKEY_CHALLENGES = "
        DELETE FROM passkey_challenge
        WHERE id IN (SELECT id FROM passkey_challenge WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    UPSTREAM_VISITS = "
        DELETE FROM upstream_visit
        WHERE state_hash IN (SELECT state_hash FROM upstream_visit WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    API_CHALLENGES = "
        DELETE FROM api_challenge
        WHERE id IN (SELECT id FROM api_challenge WHERE sweep_at <= $1 ORDER BY sweep_at LIMIT 500) AND sweep_at <= $1";
    CODES = "
        DELETE FROM authorization_code
        WHERE id IN (SELECT id FROM authorization_code WHERE sweep_at <= $1 ORDER BY sweep_at LIMIT 500) AND sweep_at <= $1";
    DEVELOPER_TOKENS = "
        DELETE FROM developer_token
        WHERE id IN (SELECT id FROM developer_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    REFRESH_TOKENS = "
        DELETE FROM refresh_token
        WHERE id IN (SELECT id FROM refresh_token WHERE sweep_at <= $1 ORDER BY sweep_at LIMIT 500) AND sweep_at <= $1";
    REVOCATIONS = "
        DELETE FROM token_revocation
        WHERE token_id IN (SELECT token_id FROM token_revocation WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    PUSHED_REQUESTS = "
        DELETE FROM pushed_request
        WHERE request_hash IN (SELECT request_hash FROM pushed_request WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    DEVICES = "
        DELETE FROM device_authorization
        WHERE id IN (SELECT id FROM device_authorization WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    MESSAGES = "
        DELETE FROM outbox
        WHERE id IN (SELECT id FROM outbox WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    ASSERTIONS = "
        DELETE FROM client_assertion
        WHERE (client_id, jti_hash) IN (SELECT client_id, jti_hash FROM client_assertion WHERE expires_at <= $1
                                        ORDER BY expires_at LIMIT 500)";
    /// The moment is looked at again where the row is taken: somebody may agree in between. What an operator disabled stays known as that.
    CLIENTS = "
        DELETE FROM client
        WHERE id IN (SELECT id FROM client WHERE unused_until <= $1 AND disabled_at IS NULL ORDER BY unused_until LIMIT 20)
          AND unused_until <= $1 AND disabled_at IS NULL";
    ASSET_CLAIMS = "
        DELETE FROM asset_claim
        WHERE code_hash IN (SELECT code_hash FROM asset_claim WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    /// With its history. A grant is kept for a year after its end.
    GRANTS = "
        DELETE FROM asset_grant
        WHERE id IN (SELECT id FROM asset_grant WHERE sweep_at <= $1 ORDER BY sweep_at LIMIT 500) AND sweep_at <= $1";
    EMAIL_CODES = "
        DELETE FROM email_code
        WHERE interaction_id IN (SELECT interaction_id FROM email_code WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)
          AND expires_at <= $1";
    MAILS = "
        DELETE FROM mail
        WHERE id IN (SELECT id FROM mail WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)";
    TRY_COUNTS = "
        DELETE FROM try_count
        WHERE key_hash IN (SELECT key_hash FROM try_count WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500) AND expires_at <= $1";
    SIGNING_KEYS = "DELETE FROM signing_key WHERE retire_at <= $1";
}

impl Store {
    /// Deletes what has expired by `now`. Any number of replicas may sweep at once.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, StoreError> {
        Ok(Swept {
            sessions: self.sweep_table(SESSIONS, now).await?,
            interactions: self.sweep_table(INTERACTIONS, now).await?,
            posted_forms: self.sweep_table(FORMS, now).await?,
            signin_challenges: self.sweep_table(SIGNIN_CHALLENGES, now).await?,
            passkey_challenges: self.sweep_table(PASSKEY_CHALLENGES, now).await?,
            upstream_visits: self.sweep_table(UPSTREAM_VISITS, now).await?,
            api_challenges: self.sweep_table(API_CHALLENGES, now).await?,
            codes: self.sweep_table(CODES, now).await?,
            developer_tokens: self.sweep_table(DEVELOPER_TOKENS, now).await?,
            refresh_tokens: self.sweep_table(REFRESH_TOKENS, now).await?,
            revocations: self.sweep_table(REVOCATIONS, now).await?,
            pushed_requests: self.sweep_table(PUSHED_REQUESTS, now).await?,
            // A device that still polls is told that its code has expired, rather than that there never was one.
            devices: self.sweep_table(DEVICES, now.minus(DEVICES_KEPT)).await?,
            messages: self.sweep_table(MESSAGES, now).await?,
            assertions: self.sweep_table(ASSERTIONS, now).await?,
            signing_keys: self.sweep_table(SIGNING_KEYS, now).await?,
            clients: self.sweep_in(CLIENTS, BATCH_OF_CLIENTS, now).await?,
            asset_claims: self.sweep_table(ASSET_CLAIMS, now).await?,
            grants: self.sweep_table(GRANTS, now).await?,
            // Who types a code too late is told that, rather than that there never was one.
            email_codes: self.sweep_table(EMAIL_CODES, now.minus(EMAIL_CODES_KEPT)).await?,
            mails: self.sweep_table(MAILS, now).await?,
            try_counts: self.sweep_table(TRY_COUNTS, now).await?,
        })
    }

    async fn sweep_table(&self, text: &'static str, now: Timestamp) -> Result<u64, StoreError> {
        self.sweep_in(text, BATCH, now).await
    }

    // Each batch is a write of its own: others come in between.
    async fn sweep_in(&self, text: &'static str, most: u64, now: Timestamp) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let batch = write_one!(self, execute(text, now))?;
            swept += batch;
            if batch < most {
                return Ok(swept);
            }
        }
    }
}
