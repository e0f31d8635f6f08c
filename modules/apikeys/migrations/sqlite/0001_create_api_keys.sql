-- +goose Up
CREATE TABLE api_keys (
    org_id         BLOB    NOT NULL REFERENCES orgs (id),
    id             BLOB    NOT NULL,
    account_id     BLOB    NOT NULL,
    name           TEXT    NOT NULL,
    prefix         TEXT    NOT NULL,
    hash           BLOB    NOT NULL UNIQUE,
    previous_hash  BLOB    UNIQUE,
    previous_until INTEGER,
    scopes         TEXT    NOT NULL,
    expires_at     INTEGER,
    rotated_at     INTEGER,
    last_used_at   INTEGER,
    last_used_ip   TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT;
CREATE INDEX api_keys_created ON api_keys (org_id, created_at DESC, id DESC);
CREATE INDEX api_keys_account ON api_keys (account_id);
CREATE INDEX api_keys_expires ON api_keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_keys_previous ON api_keys (previous_until) WHERE previous_until IS NOT NULL;
