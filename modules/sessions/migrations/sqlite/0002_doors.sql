-- +goose Up
CREATE TABLE session_challenges (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    token_hash BLOB    NOT NULL UNIQUE,
    method     TEXT    NOT NULL,
    cookie     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX session_challenges_expires ON session_challenges (expires_at);

CREATE TABLE session_devices (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    mark       TEXT    NOT NULL,
    mark_hash  BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, mark_hash)
) STRICT;
CREATE INDEX session_devices_seen ON session_devices (seen_at);

CREATE TABLE session_guesses (
    guess_key  BLOB    PRIMARY KEY,
    failures   INTEGER NOT NULL,
    wait_until INTEGER NOT NULL,
    last_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX session_guesses_last ON session_guesses (last_at);
