-- A challenge of the API is, once it was taken, the record of the tokens that its signature gave: whose account the address was then,
-- when the tokens were revoked, and until when the row is kept.

ALTER TABLE api_challenge ADD COLUMN account_id UUID REFERENCES account (id) ON DELETE CASCADE;
ALTER TABLE api_challenge ADD COLUMN revoked_at BIGINT;
-- Of one that nobody took, the moment of its expiry. A replica of the previous release that is still running names no moment: what it
-- writes is swept within a minute, and its person asks again.
ALTER TABLE api_challenge ADD COLUMN sweep_at BIGINT NOT NULL DEFAULT 0;
UPDATE api_challenge SET sweep_at = expires_at;

DROP INDEX api_challenge_expires;
CREATE INDEX api_challenge_sweep ON api_challenge (sweep_at);
-- For the withdrawal of a consent. A challenge that waits for its signature pays nothing for it.
CREATE INDEX api_challenge_account ON api_challenge (account_id, client_id) WHERE account_id IS NOT NULL;
