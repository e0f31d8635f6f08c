-- +goose Up
CREATE TABLE session_challenges (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    token_hash bytea       NOT NULL UNIQUE,
    method     text        NOT NULL,
    cookie     boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX session_challenges_expires ON session_challenges (expires_at);

CREATE TABLE session_devices (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    mark       text        NOT NULL,
    mark_hash  bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, mark_hash)
);
CREATE INDEX session_devices_seen ON session_devices (seen_at);

CREATE TABLE session_guesses (
    guess_key  bytea       PRIMARY KEY,
    failures   integer     NOT NULL,
    wait_until timestamptz NOT NULL,
    last_at    timestamptz NOT NULL
);
CREATE INDEX session_guesses_last ON session_guesses (last_at);
