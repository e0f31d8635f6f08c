-- +goose Up
CREATE TABLE identities (
    account_id   BLOB    NOT NULL,
    id           BLOB    NOT NULL,
    provider     TEXT    NOT NULL,
    issuer       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    linked_at    INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;

CREATE TABLE identity_subjects (
    issuer      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    account_id  BLOB NOT NULL,
    identity_id BLOB NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT;
CREATE INDEX identity_subjects_account ON identity_subjects (account_id, identity_id);

CREATE TABLE identity_flows (
    state_hash   BLOB    NOT NULL PRIMARY KEY,
    provider     TEXT    NOT NULL,
    browser_hash BLOB    NOT NULL,
    sealed       BLOB    NOT NULL,
    redirect_to  TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    account_id   BLOB,
    session_id   BLOB,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;
CREATE INDEX identity_flows_expires ON identity_flows (expires_at);
