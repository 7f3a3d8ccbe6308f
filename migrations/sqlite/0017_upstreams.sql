-- The same as migrations/postgres/0017_upstreams.sql.

-- Who was sent to a provider to prove who they are: one answer is taken, from there, in that browser.
CREATE TABLE upstream_visit (
    state_hash     BLOB PRIMARY KEY,
    interaction_id BLOB NOT NULL,
    browser_hash   BLOB NOT NULL,
    upstream       TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    taken_at       INTEGER
) STRICT;
CREATE INDEX upstream_visit_expires ON upstream_visit (expires_at);
