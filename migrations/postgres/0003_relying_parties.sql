-- What relying parties expect: refresh tokens, client assertions, pushed requests, devices, logout messages, registration.

ALTER TABLE client DROP CONSTRAINT client_token_endpoint_auth_method_check;
ALTER TABLE client ADD CONSTRAINT client_token_endpoint_auth_method_check
    CHECK (token_endpoint_auth_method IN ('none', 'client_secret_basic', 'client_secret_post', 'client_secret', 'private_key_jwt'));
ALTER TABLE client DROP CONSTRAINT client_signing_alg_check;
ALTER TABLE client ADD CONSTRAINT client_signing_alg_check CHECK (signing_alg IN ('RS256', 'ES256', 'EdDSA', 'PS256'));
ALTER TABLE client DROP CONSTRAINT client_source_check;
ALTER TABLE client ADD CONSTRAINT client_source_check CHECK (source IN ('command', 'config', 'registration', 'document'));
ALTER TABLE client DROP CONSTRAINT client_secret_fits_method;
ALTER TABLE client ADD CONSTRAINT client_secret_fits_method
    CHECK ((secret_hash IS NULL) = (token_endpoint_auth_method IN ('none', 'private_key_jwt')));
-- The sector identifier of pairwise subjects, once it is fixed.
ALTER TABLE client ADD COLUMN sector TEXT;
-- What else is registered (RFC 7591 §2), as JSON.
ALTER TABLE client ADD COLUMN metadata JSONB NOT NULL DEFAULT '{}';
ALTER TABLE client ADD COLUMN backchannel_logout_uri TEXT;
-- Of the registration access token (RFC 7592).
ALTER TABLE client ADD COLUMN registration_hash BYTEA;
-- Of a client id metadata document: until when it is believed without being fetched again.
ALTER TABLE client ADD COLUMN document_until BIGINT;
-- Tokens issued before are dead: the client was disabled then.
ALTER TABLE client ADD COLUMN tokens_from BIGINT;

ALTER TABLE signing_key DROP CONSTRAINT signing_key_alg_check;
ALTER TABLE signing_key ADD CONSTRAINT signing_key_alg_check CHECK (alg IN ('RS256', 'ES256', 'EdDSA', 'PS256'));

-- Tokens issued before are dead: the account was disabled then.
ALTER TABLE account ADD COLUMN tokens_from BIGINT;

-- The resources that a code was asked for (RFC 8707) and the claims beyond its scopes (OpenID Connect Core §5.5), as JSON; NULL: none.
ALTER TABLE authorization_code ADD COLUMN resource JSONB;
ALTER TABLE authorization_code ADD COLUMN claims JSONB;

-- A family of refresh tokens, each of which replaced the one before: one row, however often it was used.
CREATE TABLE refresh_token (
    id               UUID PRIMARY KEY,
    current_hash     BYTEA NOT NULL,
    -- The token whose use gave the current one. It still works while the current one was never used: its reply may have been lost.
    previous_hash    BYTEA,
    client_id        TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    account_id       UUID NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- The code that it came with; its row may be gone.
    code_id          UUID NOT NULL,
    -- It dies with this session; NULL where the person agreed to access while they are away.
    session_id       UUID,
    scope            TEXT NOT NULL,
    resource         JSONB,
    claims           JSONB,
    provider         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    amr              JSONB NOT NULL,
    authenticated_at BIGINT NOT NULL,
    issued_at        BIGINT NOT NULL,
    used_at          BIGINT,
    idle_expires_at  BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    revoked_at       BIGINT,
    sweep_at         BIGINT NOT NULL
);
CREATE INDEX refresh_token_client ON refresh_token (client_id, account_id);
CREATE INDEX refresh_token_code ON refresh_token (code_id);
CREATE INDEX refresh_token_session ON refresh_token (session_id);
CREATE INDEX refresh_token_sweep ON refresh_token (sweep_at);

-- Tokens without a record of their own (a client's own tokens) that were revoked before their time.
CREATE TABLE token_revocation (
    token_id   UUID PRIMARY KEY,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX token_revocation_expires ON token_revocation (expires_at);

-- The `jti` of client assertions that were used (RFC 7523 §3).
CREATE TABLE client_assertion (
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    jti_hash   BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, jti_hash)
);
CREATE INDEX client_assertion_expires ON client_assertion (expires_at);

-- Pushed authorization requests (RFC 9126); single use, found by the hash of what `request_uri` ends with.
CREATE TABLE pushed_request (
    request_hash BYTEA PRIMARY KEY,
    client_id    TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    parameters   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    taken_at     BIGINT
);
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);

-- A device that waits for a person (RFC 8628). What the person decided is in the columns after `polled_at`.
CREATE TABLE device_authorization (
    id               UUID PRIMARY KEY,
    device_hash      BYTEA NOT NULL CONSTRAINT device_authorization_device_unique UNIQUE,
    user_code_hash   BYTEA NOT NULL CONSTRAINT device_authorization_user_code_unique UNIQUE,
    client_id        TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scope            TEXT NOT NULL,
    resource         JSONB,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    interval_seconds BIGINT NOT NULL,
    polled_at        BIGINT,
    denied_at        BIGINT,
    approved_at      BIGINT,
    account_id       UUID REFERENCES account (id) ON DELETE CASCADE,
    provider         TEXT,
    subject          TEXT,
    amr              JSONB,
    authenticated_at BIGINT,
    redeemed_at      BIGINT,
    CONSTRAINT device_authorization_approved CHECK ((approved_at IS NULL) = (account_id IS NULL))
);
CREATE INDEX device_authorization_expires ON device_authorization (expires_at);

-- The apps that a session signed in to and that want to be told of its end (OpenID Connect Back-Channel Logout §2.5).
CREATE TABLE session_client (
    session_id UUID NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    -- The person's `sub` at that app.
    subject    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX session_client_client ON session_client (client_id);

-- Messages that must reach somebody else, written in the transaction that makes them true and delivered afterwards.
CREATE TABLE outbox (
    id          UUID PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('backchannel_logout')),
    client_id   TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    destination TEXT NOT NULL,
    payload     JSONB NOT NULL,
    attempts    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    -- When it is to be tried next; who tries it moves this ahead first.
    due_at      BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at);
CREATE INDEX outbox_expires ON outbox (expires_at);

-- Pictures that apps named as their logo, fetched and served by this server.
CREATE TABLE client_logo (
    client_id  TEXT PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
    uri        TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body       BYTEA NOT NULL,
    fetched_at BIGINT NOT NULL
);
