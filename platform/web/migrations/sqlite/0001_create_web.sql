-- +goose Up
CREATE TABLE idempotency_keys (
    account_id BLOB    NOT NULL,
    key        BLOB    NOT NULL,
    request    BLOB    NOT NULL,
    status     INTEGER NOT NULL,
    body       BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) STRICT;
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
