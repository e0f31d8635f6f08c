-- +goose Up
CREATE TABLE mfa_accounts (
    account_id   uuid        PRIMARY KEY,
    last_step    bigint      NOT NULL,
    last_used_at timestamptz NOT NULL
);

CREATE TABLE mfa_devices (
    account_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    name         text        NOT NULL,
    secret       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    enabled_at   timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX mfa_devices_pending ON mfa_devices (created_at) WHERE enabled_at IS NULL;

CREATE TABLE mfa_backup_codes (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    code_hash  bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, id)
);
