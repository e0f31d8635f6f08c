-- +goose Up
CREATE TABLE accounts (
    id                  uuid        PRIMARY KEY,
    email               text        NOT NULL,
    email_verified_at   timestamptz,
    name                text        NOT NULL,
    avatar_url          text        NOT NULL,
    locale              text        NOT NULL,
    default_org_id      uuid,
    is_admin            boolean     NOT NULL,
    status              text        NOT NULL,
    password_hash       text        NOT NULL,
    password_changed_at timestamptz NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX accounts_admins ON accounts (id) WHERE is_admin;

CREATE TABLE account_emails (
    email      text PRIMARY KEY,
    account_id uuid NOT NULL
);
CREATE INDEX account_emails_account ON account_emails (account_id);

CREATE TABLE account_tokens (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    purpose    text        NOT NULL,
    token_hash bytea       NOT NULL UNIQUE,
    email      text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX account_tokens_expires ON account_tokens (expires_at);

CREATE TABLE setup (
    id           integer     PRIMARY KEY CHECK (id = 1),
    token_hash   bytea       NOT NULL,
    offered_at   timestamptz NOT NULL,
    completed_at timestamptz
);
