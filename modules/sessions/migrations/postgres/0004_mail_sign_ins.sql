-- +goose Up
CREATE TABLE session_mail_sign_ins (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    flow_hash  bytea       NOT NULL UNIQUE,
    link_hash  bytea       NOT NULL UNIQUE,
    code_hash  bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX session_mail_sign_ins_expires ON session_mail_sign_ins (expires_at);
