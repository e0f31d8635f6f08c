-- +goose Up
CREATE TABLE api_keys (
    org_id         uuid        NOT NULL REFERENCES orgs (id),
    id             uuid        NOT NULL,
    account_id     uuid        NOT NULL,
    name           text        NOT NULL,
    prefix         text        NOT NULL,
    hash           bytea       NOT NULL UNIQUE,
    previous_hash  bytea       UNIQUE,
    previous_until timestamptz,
    scopes         jsonb       NOT NULL,
    expires_at     timestamptz,
    rotated_at     timestamptz,
    last_used_at   timestamptz,
    last_used_ip   text        NOT NULL,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX api_keys_created ON api_keys (org_id, created_at DESC, id DESC);
CREATE INDEX api_keys_account ON api_keys (account_id);
CREATE INDEX api_keys_expires ON api_keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX api_keys_previous ON api_keys (previous_until) WHERE previous_until IS NOT NULL;
