-- What the operator has said of a client that registered itself, as JSON: whether he vouched for it, and what of it is his.

ALTER TABLE client ADD COLUMN operator JSONB NOT NULL DEFAULT '{}';
