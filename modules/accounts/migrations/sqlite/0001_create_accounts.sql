-- +goose Up
CREATE TABLE accounts (
    id                  BLOB    NOT NULL PRIMARY KEY,
    email               TEXT    NOT NULL,
    email_verified_at   INTEGER,
    name                TEXT    NOT NULL,
    avatar_url          TEXT    NOT NULL,
    locale              TEXT    NOT NULL,
    default_org_id      BLOB,
    is_admin            INTEGER NOT NULL,
    status              TEXT    NOT NULL,
    password_hash       TEXT    NOT NULL,
    password_changed_at INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
) STRICT;
CREATE INDEX accounts_admins ON accounts (id) WHERE is_admin;

CREATE TABLE account_emails (
    email      TEXT NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL
) STRICT;
CREATE INDEX account_emails_account ON account_emails (account_id);

CREATE TABLE account_tokens (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    purpose    TEXT    NOT NULL,
    token_hash BLOB    NOT NULL UNIQUE,
    email      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX account_tokens_expires ON account_tokens (expires_at);

CREATE TABLE setup (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    token_hash   BLOB    NOT NULL,
    offered_at   INTEGER NOT NULL,
    completed_at INTEGER
) STRICT;
