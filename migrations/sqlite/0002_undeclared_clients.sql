-- When the configuration file stopped naming a client of its own. Such a client is disabled, and enabled when it is named again;
-- one that an operator disabled has no time here.

ALTER TABLE client ADD COLUMN undeclared_at INTEGER;
