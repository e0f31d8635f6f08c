-- +goose Up
CREATE TABLE identities (
    account_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    provider     text        NOT NULL,
    issuer       text        NOT NULL,
    subject      text        NOT NULL,
    email        text        NOT NULL,
    name         text        NOT NULL,
    linked_at    timestamptz NOT NULL,
    last_used_at timestamptz,
    PRIMARY KEY (account_id, id)
);

CREATE TABLE identity_subjects (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    account_id  uuid NOT NULL,
    identity_id uuid NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_subjects_account ON identity_subjects (account_id, identity_id);

CREATE TABLE identity_flows (
    state_hash   bytea       PRIMARY KEY,
    provider     text        NOT NULL,
    browser_hash bytea       NOT NULL,
    sealed       bytea       NOT NULL,
    redirect_to  text        NOT NULL,
    purpose      text        NOT NULL,
    account_id   uuid,
    session_id   uuid,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX identity_flows_expires ON identity_flows (expires_at);
