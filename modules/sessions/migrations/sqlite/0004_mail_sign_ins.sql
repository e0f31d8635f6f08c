-- +goose Up
CREATE TABLE session_mail_sign_ins (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    flow_hash  BLOB    NOT NULL UNIQUE,
    link_hash  BLOB    NOT NULL UNIQUE,
    code_hash  BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX session_mail_sign_ins_expires ON session_mail_sign_ins (expires_at);
