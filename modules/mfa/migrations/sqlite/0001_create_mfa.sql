-- +goose Up
CREATE TABLE mfa_accounts (
    account_id   BLOB PRIMARY KEY,
    last_step    INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE mfa_devices (
    account_id   BLOB NOT NULL,
    id           BLOB NOT NULL,
    name         TEXT NOT NULL,
    secret       BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    enabled_at   INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX mfa_devices_pending ON mfa_devices (created_at) WHERE enabled_at IS NULL;

CREATE TABLE mfa_backup_codes (
    account_id BLOB NOT NULL,
    id         BLOB NOT NULL,
    code_hash  BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;
