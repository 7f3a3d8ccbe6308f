-- What the operator has said of a client that registered itself, as JSON: whether he vouched for it, and what of it is his.

ALTER TABLE client ADD COLUMN operator JSONB NOT NULL DEFAULT '{}';
-- Until when a client that let itself in is kept though nobody has agreed to it; NULL: for good.
ALTER TABLE client ADD COLUMN unused_until BIGINT;
CREATE INDEX client_unused ON client (unused_until);
-- The client has become another one in people's eyes: what they agreed to before is to be asked again.
ALTER TABLE client ADD COLUMN consent_from BIGINT;
