-- +goose Up
CREATE TABLE idempotency_keys (
    account_id uuid        NOT NULL,
    key        bytea       NOT NULL,
    request    bytea       NOT NULL,
    status     integer     NOT NULL,
    body       bytea,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
