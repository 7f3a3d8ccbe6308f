-- The same as migrations/postgres/0014_identities.sql.

-- What a person calls an identity (a passkey's name, the address at a provider), and the email address that its provider vouches for.
ALTER TABLE identity ADD COLUMN label TEXT NOT NULL DEFAULT '';
ALTER TABLE identity ADD COLUMN email TEXT;
-- What the identity of the sign-in is called.
ALTER TABLE session ADD COLUMN label TEXT NOT NULL DEFAULT '';
-- When the person themselves proved it; NULL: a provider said so, which may have known them from long before.
ALTER TABLE session ADD COLUMN proved_at INTEGER;
UPDATE session SET proved_at = authenticated_at;

-- Whose an email address is: of one account, however many of its identities prove it.
CREATE TABLE account_email (
    email      TEXT PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX account_email_account ON account_email (account_id);
