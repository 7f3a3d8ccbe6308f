-- Assets, who owns them, and what their owners let apps do with them.

-- The issuer of asset tokens has keys of its own. SQLite cannot change a CHECK, so the table is made anew.
CREATE TABLE signing_key_new (
    kid         TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL CHECK (purpose IN ('signin', 'assets')),
    alg         TEXT NOT NULL CHECK (alg IN ('RS256', 'ES256', 'EdDSA', 'PS256')),
    generation  INTEGER NOT NULL,
    public_jwk  TEXT NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    active_from INTEGER,
    retire_at   INTEGER,
    CONSTRAINT signing_key_generation_unique UNIQUE (purpose, alg, generation)
) STRICT;
INSERT INTO signing_key_new (kid, purpose, alg, generation, public_jwk, sealed, created_at, active_from, retire_at)
SELECT kid, purpose, alg, generation, public_jwk, sealed, created_at, active_from, retire_at
FROM signing_key;
DROP TABLE signing_key;
ALTER TABLE signing_key_new RENAME TO signing_key;

-- What a person granted with this code (RFC 9396), as JSON with the ids of the grants; NULL: nothing.
ALTER TABLE authorization_code ADD COLUMN authorization_details TEXT;
ALTER TABLE refresh_token ADD COLUMN authorization_details TEXT;

-- A DID is compared byte by byte, so that pages follow one another in the same order on both engines; and letters of ASCII alone are
-- lower or upper case for a filter.
CREATE TABLE asset (
    did           TEXT PRIMARY KEY,
    -- An address, or an account that has none; neither: nobody has claimed it yet.
    owner_address TEXT,
    owner_account BLOB REFERENCES account (id) ON DELETE SET NULL,
    -- Rises with each change of owner.
    epoch         INTEGER NOT NULL,
    make          TEXT,
    model         TEXT,
    year          INTEGER,
    powertrain    TEXT,
    name          TEXT,
    attributes    TEXT NOT NULL,
    minted_at     INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    CONSTRAINT asset_one_owner CHECK (owner_address IS NULL OR owner_account IS NULL)
) STRICT;
CREATE INDEX asset_owner_address ON asset (owner_address, did);
CREATE INDEX asset_owner_account ON asset (owner_account, did);

-- Codes by which a person takes over an asset that was imported without an owner; single use.
CREATE TABLE asset_claim (
    code_hash  BLOB PRIMARY KEY,
    did        TEXT NOT NULL REFERENCES asset (did) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    claimed_at INTEGER,
    claimed_by BLOB REFERENCES account (id) ON DELETE CASCADE,
    CONSTRAINT asset_claim_claimed CHECK ((claimed_at IS NULL) = (claimed_by IS NULL))
) STRICT;
CREATE INDEX asset_claim_did ON asset_claim (did);
CREATE INDEX asset_claim_claimed_by ON asset_claim (claimed_by);
CREATE INDEX asset_claim_expires ON asset_claim (expires_at);

CREATE TABLE asset_grant (
    id              BLOB PRIMARY KEY,
    -- NULL: all assets of the grantor's account, those of now and those that come later.
    asset           TEXT REFERENCES asset (did) ON DELETE CASCADE,
    grantor_account BLOB REFERENCES account (id) ON DELETE CASCADE,
    grantor_address TEXT,
    grantee         TEXT NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    permissions     TEXT NOT NULL,
    events          TEXT NOT NULL,
    effective_at    INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    -- Of the asset when it was given: in another one it counts for nothing.
    epoch           INTEGER,
    source          TEXT NOT NULL CHECK (source IN ('consent', 'api', 'operator')),
    template        TEXT,
    purpose         TEXT,
    -- The visit in which a person agreed to it; its row is gone when the visit is over.
    interaction_id  BLOB,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    ended_at        INTEGER,
    ended           TEXT CHECK (ended IN ('owner', 'grantee', 'operator', 'transfer', 'replaced')),
    sweep_at        INTEGER NOT NULL,
    CONSTRAINT asset_grant_epoch CHECK ((asset IS NULL) = (epoch IS NULL)),
    CONSTRAINT asset_grant_all_of_whom CHECK (asset IS NOT NULL OR grantor_account IS NOT NULL),
    CONSTRAINT asset_grant_ended CHECK ((ended_at IS NULL) = (ended IS NULL))
) STRICT;
-- The exchange: what a client was granted on an asset; what it was granted on all assets of an account. Each index has nothing of the other
-- kind, so that no planner takes one for the other.
CREATE INDEX asset_grant_grantee_asset ON asset_grant (grantee, asset, ended_at, expires_at) WHERE asset IS NOT NULL;
CREATE INDEX asset_grant_grantee_grantor ON asset_grant (grantee, grantor_account, ended_at, expires_at) WHERE asset IS NULL;
-- What an owner granted to one app.
CREATE INDEX asset_grant_grantor_grantee ON asset_grant (grantor_account, grantee, ended_at);
-- Pages, the latest first: an id grows with time.
CREATE INDEX asset_grant_grantor_account ON asset_grant (grantor_account, id);
CREATE INDEX asset_grant_grantor_address ON asset_grant (grantor_address, id);
CREATE INDEX asset_grant_grantee ON asset_grant (grantee, id);
CREATE INDEX asset_grant_asset ON asset_grant (asset, id) WHERE asset IS NOT NULL;
CREATE INDEX asset_grant_interaction ON asset_grant (interaction_id);
CREATE INDEX asset_grant_sweep ON asset_grant (sweep_at);

-- What became of a grant: who, when, what and why, and what it gave from then on. Rows are added, and go with their grant.
CREATE TABLE grant_event (
    grant_id      BLOB NOT NULL REFERENCES asset_grant (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    what          TEXT NOT NULL CHECK (what IN ('made', 'changed', 'ended')),
    actor         TEXT NOT NULL CHECK (actor IN ('owner', 'grantee', 'operator')),
    actor_account BLOB,
    actor_client  TEXT,
    why           TEXT NOT NULL,
    permissions   TEXT NOT NULL,
    events        TEXT NOT NULL,
    expires_at    INTEGER NOT NULL,
    PRIMARY KEY (grant_id, number)
) STRICT;
