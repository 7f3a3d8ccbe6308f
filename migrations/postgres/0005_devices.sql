-- When a device last polled before its time (RFC 8628 §3.5, `slow_down`).

ALTER TABLE device_authorization ADD COLUMN slowed_at BIGINT;
