-- The same as migrations/sqlite/0016_passkeys.sql.

-- What an authenticator was asked: to make a passkey, or to sign with one. It is taken once, right or wrong, before the answer is looked at.
CREATE TABLE passkey_challenge (
    id             UUID PRIMARY KEY,
    interaction_id UUID NOT NULL,
    browser_hash   BYTEA NOT NULL,
    ceremony       TEXT NOT NULL CHECK (ceremony IN ('registration', 'authentication')),
    state          JSONB NOT NULL,
    expires_at     BIGINT NOT NULL,
    taken_at       BIGINT
);
CREATE INDEX passkey_challenge_expires ON passkey_challenge (expires_at);

-- The public half of a passkey. Its identity says whose it is, and takes it along when it goes.
CREATE TABLE passkey (
    credential_id TEXT PRIMARY KEY,
    provider      TEXT NOT NULL CHECK (provider = 'passkey'),
    user_handle   UUID NOT NULL,
    credential    JSONB NOT NULL,
    counter       BIGINT NOT NULL,
    backup_state  TEXT NOT NULL CHECK (backup_state IN ('device_bound', 'eligible', 'backed_up')),
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL,
    FOREIGN KEY (provider, credential_id) REFERENCES identity (provider, subject) ON DELETE CASCADE
);
