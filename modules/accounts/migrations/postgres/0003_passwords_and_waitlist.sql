-- +goose Up
CREATE TABLE account_passwords (
    account_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    password_hash text        NOT NULL,
    replaced_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
);

CREATE TABLE account_waitlist (
    id          uuid        PRIMARY KEY,
    email       text        NOT NULL UNIQUE,
    name        text        NOT NULL,
    created_at  timestamptz NOT NULL,
    approved_at timestamptz,
    expires_at  timestamptz,
    token_hash  bytea       UNIQUE
);
CREATE INDEX account_waitlist_created ON account_waitlist (created_at, id);
