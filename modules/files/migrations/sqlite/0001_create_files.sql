-- +goose Up
CREATE TABLE files (
    org_id       BLOB    NOT NULL REFERENCES orgs (id),
    id           BLOB    NOT NULL UNIQUE,
    account_id   BLOB,
    name         TEXT    NOT NULL,
    search       TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    size         INTEGER NOT NULL,
    sha256       BLOB    NOT NULL,
    status       TEXT    NOT NULL,
    variants     TEXT    NOT NULL,
    expires_at   INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT;
CREATE INDEX files_created ON files (org_id, created_at DESC, id DESC);
CREATE INDEX files_account ON files (account_id);
CREATE INDEX files_expires ON files (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE file_usage (
    org_id BLOB    NOT NULL REFERENCES orgs (id),
    bytes  INTEGER NOT NULL,
    files  INTEGER NOT NULL,
    PRIMARY KEY (org_id)
) STRICT;

CREATE TABLE file_avatars (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id)
) STRICT;
