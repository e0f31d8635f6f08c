-- +goose Up
CREATE TABLE passkeys (
    account_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    credential_id   bytea       NOT NULL UNIQUE,
    public_key      bytea       NOT NULL,
    sign_count      bigint      NOT NULL,
    aaguid          bytea       NOT NULL,
    transports      text        NOT NULL,
    backup_eligible boolean     NOT NULL,
    backed_up       boolean     NOT NULL,
    name            text        NOT NULL,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz,
    PRIMARY KEY (account_id, id)
);

CREATE TABLE passkey_handles (
    account_id uuid        NOT NULL PRIMARY KEY,
    handle     bytea       NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

CREATE TABLE passkey_challenges (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    token_hash bytea       NOT NULL UNIQUE,
    purpose    text        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX passkey_challenges_expires ON passkey_challenges (expires_at);

CREATE TABLE passkey_sign_ins (
    token_hash bytea       NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX passkey_sign_ins_expires ON passkey_sign_ins (expires_at);
