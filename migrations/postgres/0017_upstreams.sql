-- The same as migrations/sqlite/0017_upstreams.sql.

-- Who was sent to a provider to prove who they are: one answer is taken, from there, in that browser.
CREATE TABLE upstream_visit (
    state_hash     BYTEA PRIMARY KEY,
    interaction_id UUID NOT NULL,
    browser_hash   BYTEA NOT NULL,
    upstream       TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    taken_at       BIGINT
);
CREATE INDEX upstream_visit_expires ON upstream_visit (expires_at);
