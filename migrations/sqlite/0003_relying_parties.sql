-- What relying parties expect: refresh tokens, client assertions, pushed requests, devices, logout messages, registration.

-- A client by registration has more than the first tables knew: other ways to prove itself, another algorithm, other origins. SQLite
-- cannot change a CHECK, so the table is made anew; what refers to it refers to its name.
CREATE TABLE client_new (
    id                         TEXT PRIMARY KEY,
    kind                       TEXT NOT NULL CHECK (kind IN ('oauth', 'license')),
    name                       TEXT NOT NULL,
    secret_hash                BLOB,
    token_endpoint_auth_method TEXT NOT NULL CHECK (token_endpoint_auth_method IN ('none', 'client_secret_basic', 'client_secret_post', 'client_secret', 'private_key_jwt')),
    pkce                       TEXT NOT NULL CHECK (pkce IN ('required', 'optional')),
    claims_profile             TEXT NOT NULL CHECK (claims_profile IN ('oidc', 'compat')),
    subject_type               TEXT CHECK (subject_type IN ('account', 'pairwise', 'connector')),
    signing_alg                TEXT NOT NULL CHECK (signing_alg IN ('RS256', 'ES256', 'EdDSA', 'PS256')),
    access_token_seconds       INTEGER NOT NULL CHECK (access_token_seconds > 0),
    source                     TEXT NOT NULL CHECK (source IN ('command', 'config', 'registration', 'document')),
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL,
    disabled_at                INTEGER,
    undeclared_at              INTEGER,
    -- The sector identifier of pairwise subjects, once it is fixed.
    sector                     TEXT,
    -- What else is registered (RFC 7591 §2), as JSON.
    metadata                   TEXT NOT NULL DEFAULT '{}',
    backchannel_logout_uri     TEXT,
    -- Of the registration access token (RFC 7592).
    registration_hash          BLOB,
    -- Of a client id metadata document: until when it is believed without being fetched again.
    document_until             INTEGER,
    -- Tokens issued before are dead: the client was disabled then.
    tokens_from                INTEGER,
    CONSTRAINT client_secret_fits_method CHECK ((secret_hash IS NULL) = (token_endpoint_auth_method IN ('none', 'private_key_jwt')))
) STRICT;
INSERT INTO client_new (id, kind, name, secret_hash, token_endpoint_auth_method, pkce, claims_profile, subject_type, signing_alg,
                        access_token_seconds, source, created_at, updated_at, disabled_at, undeclared_at)
SELECT id, kind, name, secret_hash, token_endpoint_auth_method, pkce, claims_profile, subject_type, signing_alg,
       access_token_seconds, source, created_at, updated_at, disabled_at, undeclared_at
FROM client;
DROP TABLE client;
ALTER TABLE client_new RENAME TO client;

CREATE TABLE signing_key_new (
    kid         TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL CHECK (purpose IN ('signin')),
    alg         TEXT NOT NULL CHECK (alg IN ('RS256', 'ES256', 'EdDSA', 'PS256')),
    generation  INTEGER NOT NULL,
    public_jwk  TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    active_from INTEGER,
    retire_at   INTEGER,
    CONSTRAINT signing_key_generation_unique UNIQUE (purpose, alg, generation)
) STRICT;
INSERT INTO signing_key_new (kid, purpose, alg, generation, public_jwk, sealed, created_at, active_from, retire_at)
SELECT kid, purpose, alg, generation, public_jwk, sealed, created_at, active_from, retire_at
FROM signing_key;
DROP TABLE signing_key;
ALTER TABLE signing_key_new RENAME TO signing_key;

-- Tokens issued before are dead: the account was disabled then.
ALTER TABLE account ADD COLUMN tokens_from INTEGER;

-- The resources that a code was asked for (RFC 8707) and the claims beyond its scopes (OpenID Connect Core §5.5), as JSON; NULL: none.
ALTER TABLE authorization_code ADD COLUMN resource TEXT;
ALTER TABLE authorization_code ADD COLUMN claims TEXT;

-- A family of refresh tokens, each of which replaced the one before: one row, however often it was used.
CREATE TABLE refresh_token (
    id               BLOB PRIMARY KEY,
    current_hash     BLOB NOT NULL,
    -- The token whose use gave the current one. It still works while the current one was never used: its reply may have been lost.
    previous_hash    BLOB,
    client_id        TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    account_id       BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- The code that it came with; its row may be gone.
    code_id          BLOB NOT NULL,
    -- It dies with this session; NULL where the person agreed to access while they are away.
    session_id       BLOB,
    scope            TEXT NOT NULL,
    resource         TEXT,
    claims           TEXT,
    provider         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    amr              TEXT NOT NULL,
    authenticated_at INTEGER NOT NULL,
    issued_at        INTEGER NOT NULL,
    used_at          INTEGER,
    idle_expires_at  INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    revoked_at       INTEGER,
    sweep_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_token_client ON refresh_token (client_id, account_id);
CREATE INDEX refresh_token_code ON refresh_token (code_id);
CREATE INDEX refresh_token_session ON refresh_token (session_id);
CREATE INDEX refresh_token_sweep ON refresh_token (sweep_at);

-- Tokens without a record of their own (a client's own tokens) that were revoked before their time.
CREATE TABLE token_revocation (
    token_id   BLOB PRIMARY KEY,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_revocation_expires ON token_revocation (expires_at);

-- The `jti` of client assertions that were used (RFC 7523 §3).
CREATE TABLE client_assertion (
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    jti_hash   BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, jti_hash)
) STRICT;
CREATE INDEX client_assertion_expires ON client_assertion (expires_at);

-- Pushed authorization requests (RFC 9126); single use, found by the hash of what `request_uri` ends with.
CREATE TABLE pushed_request (
    request_hash BLOB PRIMARY KEY,
    client_id    TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    parameters   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    taken_at     INTEGER
) STRICT;
CREATE INDEX pushed_request_expires ON pushed_request (expires_at);

-- A device that waits for a person (RFC 8628). What the person decided is in the columns after `polled_at`.
CREATE TABLE device_authorization (
    id               BLOB PRIMARY KEY,
    device_hash      BLOB NOT NULL CONSTRAINT device_authorization_device_unique UNIQUE,
    user_code_hash   BLOB NOT NULL CONSTRAINT device_authorization_user_code_unique UNIQUE,
    client_id        TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scope            TEXT NOT NULL,
    resource         TEXT,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    interval_seconds INTEGER NOT NULL,
    polled_at        INTEGER,
    denied_at        INTEGER,
    approved_at      INTEGER,
    account_id       BLOB REFERENCES account (id) ON DELETE CASCADE,
    provider         TEXT,
    subject          TEXT,
    amr              TEXT,
    authenticated_at INTEGER,
    redeemed_at      INTEGER,
    CONSTRAINT device_authorization_approved CHECK ((approved_at IS NULL) = (account_id IS NULL))
) STRICT;
CREATE INDEX device_authorization_expires ON device_authorization (expires_at);

-- The apps that a session signed in to and that want to be told of its end (OpenID Connect Back-Channel Logout §2.5).
CREATE TABLE session_client (
    session_id BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    -- The person's `sub` at that app.
    subject    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, client_id)
) STRICT;
CREATE INDEX session_client_client ON session_client (client_id);

-- Messages that must reach somebody else, written in the transaction that makes them true and delivered afterwards.
CREATE TABLE outbox (
    id          BLOB PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('backchannel_logout')),
    client_id   TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    destination TEXT NOT NULL,
    payload     TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    -- When it is to be tried next; who tries it moves this ahead first.
    due_at      INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at);
CREATE INDEX outbox_expires ON outbox (expires_at);

-- Pictures that apps named as their logo, fetched and served by this server.
CREATE TABLE client_logo (
    client_id  TEXT PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
    uri        TEXT NOT NULL,
    media_type TEXT NOT NULL,
    body       BLOB NOT NULL,
    fetched_at INTEGER NOT NULL
) STRICT;
