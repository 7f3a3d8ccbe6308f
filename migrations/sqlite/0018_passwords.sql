-- The same as migrations/postgres/0018_passwords.sql.

-- Of who signs in by password, the hash (a PHC string of argon2id). It goes with the identity that it proves.
CREATE TABLE password (
    provider   TEXT NOT NULL CHECK (provider = 'password'),
    subject    TEXT NOT NULL,
    hash       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (provider, subject),
    FOREIGN KEY (provider, subject) REFERENCES identity (provider, subject) ON DELETE CASCADE
) STRICT;
