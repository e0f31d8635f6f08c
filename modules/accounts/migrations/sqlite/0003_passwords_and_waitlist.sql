-- +goose Up
CREATE TABLE account_passwords (
    account_id    BLOB    NOT NULL,
    id            BLOB    NOT NULL,
    password_hash TEXT    NOT NULL,
    replaced_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT;

CREATE TABLE account_waitlist (
    id          BLOB    NOT NULL PRIMARY KEY,
    email       TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    approved_at INTEGER,
    expires_at  INTEGER,
    token_hash  BLOB    UNIQUE
) STRICT;
CREATE INDEX account_waitlist_created ON account_waitlist (created_at, id);
