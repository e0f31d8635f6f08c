-- +goose Up
CREATE TABLE files (
    org_id       uuid        NOT NULL REFERENCES orgs (id),
    id           uuid        NOT NULL UNIQUE,
    account_id   uuid,
    name         text        NOT NULL,
    search       text        NOT NULL,
    content_type text        NOT NULL,
    size         bigint      NOT NULL,
    sha256       bytea       NOT NULL,
    status       text        NOT NULL,
    variants     jsonb       NOT NULL,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX files_created ON files (org_id, created_at DESC, id DESC);
CREATE INDEX files_account ON files (account_id);
CREATE INDEX files_expires ON files (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE file_usage (
    org_id uuid   NOT NULL REFERENCES orgs (id),
    bytes  bigint NOT NULL,
    files  bigint NOT NULL,
    PRIMARY KEY (org_id)
);

CREATE TABLE file_avatars (
    account_id uuid        NOT NULL,
    id         uuid        NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id)
);
