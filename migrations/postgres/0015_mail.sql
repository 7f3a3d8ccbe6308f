-- The same as migrations/sqlite/0015_mail.sql.

-- The code that was mailed in a visit, the last one alone. The code itself is not here: it follows from `id` and the server's secret.
CREATE TABLE email_code (
    interaction_id UUID PRIMARY KEY,
    id             UUID NOT NULL,
    browser_hash   BYTEA NOT NULL,
    email          TEXT NOT NULL,
    code_hash      BYTEA NOT NULL,
    tries          BIGINT NOT NULL,
    mail_state     TEXT NOT NULL CHECK (mail_state IN ('waiting', 'sent', 'refused')),
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX email_code_id ON email_code (id);
CREATE INDEX email_code_expires ON email_code (expires_at);

-- Mails that are to be sent: one with a code has its id; a notice says in `payload` what happened.
CREATE TABLE mail (
    id         UUID PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('email_code', 'notice')),
    recipient  TEXT NOT NULL,
    payload    JSONB NOT NULL,
    attempts   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it is to be tried next; who tries it moves this ahead first.
    due_at     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mail_due ON mail (due_at);
CREATE INDEX mail_expires ON mail (expires_at);

-- How often something was tried, in a window that began with the first try. What it was and whose is hashed with the server's secret.
CREATE TABLE try_count (
    key_hash   BYTEA PRIMARY KEY,
    tries      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX try_count_expires ON try_count (expires_at);
