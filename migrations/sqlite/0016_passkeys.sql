-- The same as migrations/postgres/0016_passkeys.sql.

-- What an authenticator was asked: to make a passkey, or to sign with one. It is taken once, right or wrong, before the answer is looked at.
CREATE TABLE passkey_challenge (
    id             BLOB PRIMARY KEY,
    interaction_id BLOB NOT NULL,
    browser_hash   BLOB NOT NULL,
    ceremony       TEXT NOT NULL CHECK (ceremony IN ('registration', 'authentication')),
    state          TEXT NOT NULL,
    expires_at     INTEGER NOT NULL,
    taken_at       INTEGER
) STRICT;
CREATE INDEX passkey_challenge_expires ON passkey_challenge (expires_at);

-- The public half of a passkey. Its identity says whose it is, and takes it along when it goes.
CREATE TABLE passkey (
    credential_id TEXT PRIMARY KEY,
    provider      TEXT NOT NULL CHECK (provider = 'passkey'),
    user_handle   BLOB NOT NULL,
    credential    TEXT NOT NULL,
    counter       INTEGER NOT NULL,
    backup_state  TEXT NOT NULL CHECK (backup_state IN ('device_bound', 'eligible', 'backed_up')),
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL,
    FOREIGN KEY (provider, credential_id) REFERENCES identity (provider, subject) ON DELETE CASCADE
) STRICT;
