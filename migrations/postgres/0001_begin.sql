-- The same tables as migrations/sqlite/0001_begin.sql: names and order are the same, only types differ.
-- Times are microseconds since 1970; words are TEXT with a CHECK; a secret is kept as its SHA-256 only.

CREATE TABLE client (
    id                         TEXT PRIMARY KEY,
    kind                       TEXT NOT NULL CHECK (kind IN ('oauth', 'license')),
    name                       TEXT NOT NULL,
    secret_hash                BYTEA,
    token_endpoint_auth_method TEXT NOT NULL CHECK (token_endpoint_auth_method IN ('none', 'client_secret_basic', 'client_secret_post', 'client_secret')),
    pkce                       TEXT NOT NULL CHECK (pkce IN ('required', 'optional')),
    claims_profile             TEXT NOT NULL CHECK (claims_profile IN ('oidc', 'compat')),
    subject_type               TEXT CHECK (subject_type IN ('account', 'pairwise', 'connector')),
    signing_alg                TEXT NOT NULL CHECK (signing_alg IN ('RS256', 'ES256', 'EdDSA')),
    access_token_seconds       BIGINT NOT NULL CHECK (access_token_seconds > 0),
    source                     TEXT NOT NULL CHECK (source IN ('command', 'config')),
    created_at                 BIGINT NOT NULL,
    updated_at                 BIGINT NOT NULL,
    disabled_at                BIGINT,
    CONSTRAINT client_secret_fits_method CHECK ((secret_hash IS NULL) = (token_endpoint_auth_method = 'none'))
);

CREATE TABLE client_redirect_uri (
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    purpose    TEXT NOT NULL CHECK (purpose IN ('redirect', 'post_logout')),
    uri        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (client_id, purpose, uri)
);

CREATE TABLE license (
    client_id               TEXT PRIMARY KEY REFERENCES client (id) ON DELETE CASCADE,
    alias                   TEXT NOT NULL CONSTRAINT license_alias_unique UNIQUE,
    owner                   TEXT NOT NULL,
    developer_token_seconds BIGINT NOT NULL CHECK (developer_token_seconds > 0)
);

CREATE TABLE license_key (
    client_id   TEXT NOT NULL REFERENCES license (client_id) ON DELETE CASCADE,
    address     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    disabled_at BIGINT,
    PRIMARY KEY (client_id, address)
);

CREATE TABLE account (
    id          UUID PRIMARY KEY,
    profile     JSONB NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    disabled_at BIGINT
);

-- What a person can prove; one account may hold several.
CREATE TABLE identity (
    provider     TEXT NOT NULL,
    subject      TEXT NOT NULL,
    account_id   UUID NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX identity_account ON identity (account_id);

CREATE TABLE session (
    id               UUID PRIMARY KEY,
    token_hash       BYTEA NOT NULL CONSTRAINT session_token_unique UNIQUE,
    account_id       UUID NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    provider         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    amr              JSONB NOT NULL,
    authenticated_at BIGINT NOT NULL,
    interaction_id   UUID NOT NULL,
    user_agent       TEXT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expires ON session (expires_at);

-- A visit that is not finished; bound to the browser that began it.
CREATE TABLE interaction (
    id           UUID PRIMARY KEY,
    browser_hash BYTEA NOT NULL,
    purpose      JSONB NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX interaction_expires ON interaction (expires_at);

-- Forms that other sites posted to us, kept until our own page, with its cookies, fetches them.
CREATE TABLE posted_form (
    id_hash    BYTEA PRIMARY KEY,
    path       TEXT NOT NULL,
    form       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX posted_form_expires ON posted_form (expires_at);

CREATE TABLE consent (
    account_id UUID NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, client_id)
);
CREATE INDEX consent_client ON consent (client_id);

-- What a wallet is asked to sign on the sign-in page; single use.
CREATE TABLE signin_challenge (
    id             UUID PRIMARY KEY,
    interaction_id UUID NOT NULL,
    browser_hash   BYTEA NOT NULL,
    address        TEXT NOT NULL,
    chain_id       BIGINT NOT NULL,
    nonce          TEXT NOT NULL,
    statement      TEXT NOT NULL,
    issued_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    taken_at       BIGINT
);
CREATE INDEX signin_challenge_expires ON signin_challenge (expires_at);

-- What a wallet or an API key is asked to sign through /auth/web3; single use, found by the hash of its state.
CREATE TABLE api_challenge (
    id             UUID PRIMARY KEY,
    state_hash     BYTEA NOT NULL CONSTRAINT api_challenge_state_unique UNIQUE,
    client_id      TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    redirect_uri   TEXT NOT NULL,
    scope          TEXT NOT NULL,
    oidc_nonce     TEXT,
    code_challenge TEXT,
    address        TEXT NOT NULL,
    chain_id       BIGINT NOT NULL,
    nonce          TEXT NOT NULL,
    statement      TEXT NOT NULL,
    issued_at      BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    taken_at       BIGINT
);
CREATE INDEX api_challenge_expires ON api_challenge (expires_at);

-- A code, and from its redemption on the record of the tokens it gave: the access token's `jti` is `id`.
CREATE TABLE authorization_code (
    id               UUID PRIMARY KEY,
    code_hash        BYTEA NOT NULL CONSTRAINT authorization_code_hash_unique UNIQUE,
    client_id        TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    account_id       UUID NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    session_id       UUID,
    redirect_uri     TEXT NOT NULL,
    scope            TEXT NOT NULL,
    nonce            TEXT,
    code_challenge   TEXT,
    provider         TEXT NOT NULL,
    subject          TEXT NOT NULL,
    amr              JSONB NOT NULL,
    authenticated_at BIGINT NOT NULL,
    issued_at        BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    redeemed_at      BIGINT,
    revoked_at       BIGINT,
    sweep_at         BIGINT NOT NULL
);
CREATE INDEX authorization_code_client ON authorization_code (client_id, account_id);
CREATE INDEX authorization_code_sweep ON authorization_code (sweep_at);

-- A license's own token, made by one of its API keys: the access token's `jti` is `id`.
CREATE TABLE developer_token (
    id          UUID PRIMARY KEY,
    client_id   TEXT NOT NULL REFERENCES license (client_id) ON DELETE CASCADE,
    key_address TEXT NOT NULL,
    scope       TEXT NOT NULL,
    issued_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT
);
CREATE INDEX developer_token_key ON developer_token (client_id, key_address);
CREATE INDEX developer_token_expires ON developer_token (expires_at);

CREATE TABLE signing_key (
    kid         TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL CHECK (purpose IN ('signin')),
    alg         TEXT NOT NULL CHECK (alg IN ('RS256', 'ES256', 'EdDSA')),
    generation  BIGINT NOT NULL,
    public_jwk  JSONB NOT NULL,
    sealed      BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    active_from BIGINT,
    retire_at   BIGINT,
    CONSTRAINT signing_key_generation_unique UNIQUE (purpose, alg, generation)
);

-- Secrets of the server itself, sealed like the signing keys.
CREATE TABLE server_secret (
    name       TEXT PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
