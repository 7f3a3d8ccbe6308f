-- The same tables as migrations/postgres/0001_begin.sql: names and order are the same, only types differ.
-- Times are microseconds since 1970; words are TEXT with a CHECK; a secret is kept as its SHA-256 only.

CREATE TABLE client (
    id                         TEXT PRIMARY KEY,
    kind                       TEXT NOT NULL CHECK (kind IN ('oauth', 'license')),
    name                       TEXT NOT NULL,
    secret_hash                BLOB,
    token_endpoint_auth_method TEXT NOT NULL CHECK (token_endpoint_auth_method IN ('none', 'client_secret_basic', 'client_secret_post', 'client_secret')),
    pkce                       TEXT NOT NULL CHECK (pkce IN ('required', 'optional')),
    claims_profile             TEXT NOT NULL CHECK (claims_profile IN ('oidc', 'compat')),
    subject_type               TEXT CHECK (subject_type IN ('account', 'pairwise', 'connector')),
    signing_alg                TEXT NOT NULL CHECK (signing_alg IN ('RS256', 'ES256', 'EdDSA')),
    access_token_seconds       INTEGER NOT NULL CHECK (access_token_seconds > 0),
    source                     TEXT NOT NULL CHECK (source IN ('command', 'config')),
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL,
    disabled_at                INTEGER,
    CONSTRAINT client_secret_fits_method CHECK ((secret_hash IS NULL) = (token_endpoint_auth_method = 'none'))
) STRICT;

CREATE TABLE client_redirect_uri (
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    purpose    TEXT NOT NULL CHECK (purpose IN ('redirect', 'post_logout')),
    uri        TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, purpose, uri)
) STRICT;

CREATE TABLE license (
    client_id               TEXT PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
    alias                   TEXT NOT NULL CONSTRAINT license_alias_unique UNIQUE,
    owner                   TEXT NOT NULL,
    developer_token_seconds INTEGER NOT NULL CHECK (developer_token_seconds > 0)
) STRICT;

CREATE TABLE license_key (
    client_id   TEXT NOT NULL REFERENCES license (client_id) ON DELETE CASCADE,
    address     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    disabled_at INTEGER,
    PRIMARY KEY (client_id, address)
) STRICT;

CREATE TABLE account (
    id          BLOB PRIMARY KEY,
    profile     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

-- What a person can prove; one account may hold several.
CREATE TABLE identity (
    provider     TEXT NOT NULL,
    subject      TEXT NOT NULL,
    account_id   BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (provider, subject)
) STRICT;
CREATE INDEX identity_account ON identity (account_id);

CREATE TABLE session (
    id               BLOB PRIMARY KEY,
    token_hash       BLOB NOT NULL CONSTRAINT session_token_unique UNIQUE,
    account_id       BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    provider         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    amr              TEXT NOT NULL,
    authenticated_at INTEGER NOT NULL,
    interaction_id   BLOB NOT NULL,
    user_agent       TEXT NOT NULL,
    last_seen_at     INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expires ON session (expires_at);

-- A visit that is not finished; bound to the browser that began it.
CREATE TABLE interaction (
    id           BLOB PRIMARY KEY,
    browser_hash BLOB NOT NULL,
    purpose      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX interaction_expires ON interaction (expires_at);

-- Forms that other sites posted to us, kept until our own page, with its cookies, fetches them.
CREATE TABLE posted_form (
    id_hash    BLOB PRIMARY KEY,
    path       TEXT NOT NULL,
    form       TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX posted_form_expires ON posted_form (expires_at);

CREATE TABLE consent (
    account_id BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, client_id)
) STRICT;
CREATE INDEX consent_client ON consent (client_id);

-- What a wallet is asked to sign on the sign-in page; single use.
CREATE TABLE signin_challenge (
    id             BLOB PRIMARY KEY,
    interaction_id BLOB NOT NULL,
    browser_hash   BLOB NOT NULL,
    address        TEXT NOT NULL,
    chain_id       INTEGER NOT NULL,
    nonce          TEXT NOT NULL,
    statement      TEXT NOT NULL,
    issued_at      INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    taken_at       INTEGER
) STRICT;
CREATE INDEX signin_challenge_expires ON signin_challenge (expires_at);

-- What a wallet or an API key is asked to sign through /auth/web3; single use, found by the hash of its state.
CREATE TABLE api_challenge (
    id             BLOB PRIMARY KEY,
    state_hash     BLOB NOT NULL CONSTRAINT api_challenge_state_unique UNIQUE,
    client_id      TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    redirect_uri   TEXT NOT NULL,
    scope          TEXT NOT NULL,
    oidc_nonce     TEXT,
    code_challenge TEXT,
    address        TEXT NOT NULL,
    chain_id       INTEGER NOT NULL,
    nonce          TEXT NOT NULL,
    statement      TEXT NOT NULL,
    issued_at      INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    taken_at       INTEGER
) STRICT;
CREATE INDEX api_challenge_expires ON api_challenge (expires_at);

-- A code, and from its redemption on the record of the tokens it gave: the access token's `jti` is `id`.
CREATE TABLE authorization_code (
    id               BLOB PRIMARY KEY,
    code_hash        BLOB NOT NULL CONSTRAINT authorization_code_hash_unique UNIQUE,
    client_id        TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    account_id       BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    session_id       BLOB,
    redirect_uri     TEXT NOT NULL,
    scope            TEXT NOT NULL,
    nonce            TEXT,
    code_challenge   TEXT,
    provider         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    amr              TEXT NOT NULL,
    authenticated_at INTEGER NOT NULL,
    issued_at        INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    redeemed_at      INTEGER,
    revoked_at       INTEGER,
    sweep_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX authorization_code_client ON authorization_code (client_id, account_id);
CREATE INDEX authorization_code_sweep ON authorization_code (sweep_at);

-- A license's own token, made by one of its API keys: the access token's `jti` is `id`.
CREATE TABLE developer_token (
    id          BLOB PRIMARY KEY,
    client_id   TEXT NOT NULL REFERENCES license (client_id) ON DELETE CASCADE,
    key_address TEXT NOT NULL,
    scope       TEXT NOT NULL,
    issued_at   INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE INDEX developer_token_key ON developer_token (client_id, key_address);
CREATE INDEX developer_token_expires ON developer_token (expires_at);

CREATE TABLE signing_key (
    kid         TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL CHECK (purpose IN ('signin')),
    alg         TEXT NOT NULL CHECK (alg IN ('RS256', 'ES256', 'EdDSA')),
    generation  INTEGER NOT NULL,
    public_jwk  TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    active_from INTEGER,
    retire_at   INTEGER,
    CONSTRAINT signing_key_generation_unique UNIQUE (purpose, alg, generation)
) STRICT;

-- Secrets of the server itself, sealed like the signing keys.
CREATE TABLE server_secret (
    name       TEXT PRIMARY KEY,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
