-- +goose Up
CREATE TABLE passkeys (
    account_id      BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    credential_id   BLOB    NOT NULL UNIQUE,
    public_key      BLOB    NOT NULL,
    sign_count      INTEGER NOT NULL,
    aaguid          BLOB    NOT NULL,
    transports      TEXT    NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    last_used_at    INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;

CREATE TABLE passkey_handles (
    account_id BLOB    NOT NULL PRIMARY KEY,
    handle     BLOB    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE passkey_challenges (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    token_hash BLOB    NOT NULL UNIQUE,
    purpose    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX passkey_challenges_expires ON passkey_challenges (expires_at);

CREATE TABLE passkey_sign_ins (
    token_hash BLOB    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;
CREATE INDEX passkey_sign_ins_expires ON passkey_sign_ins (expires_at);
