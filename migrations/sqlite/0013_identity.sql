-- Licenses are found by who owns them, and by the address of an API key.
CREATE INDEX license_owner ON license (owner, client_id);
CREATE INDEX license_key_address ON license_key (address, client_id);
