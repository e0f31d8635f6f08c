-- +goose Up
CREATE TABLE orgs (
    id          BLOB    NOT NULL PRIMARY KEY,
    slug        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    settings    TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    purge_at    INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX orgs_purge ON orgs (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE org_slugs (
    slug   TEXT NOT NULL PRIMARY KEY,
    org_id BLOB NOT NULL UNIQUE REFERENCES orgs (id)
) STRICT;

CREATE TABLE org_members (
    org_id     BLOB    NOT NULL REFERENCES orgs (id),
    account_id BLOB    NOT NULL,
    role       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    joined_at  INTEGER NOT NULL,
    PRIMARY KEY (org_id, account_id)
) STRICT;
CREATE INDEX org_members_account ON org_members (account_id, joined_at, org_id);
CREATE INDEX org_members_joined ON org_members (org_id, joined_at, account_id);
CREATE INDEX org_members_email ON org_members (org_id, email);
CREATE INDEX org_members_role ON org_members (org_id, role);

CREATE TABLE org_roles (
    org_id      BLOB    NOT NULL REFERENCES orgs (id),
    key         TEXT    NOT NULL,
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (org_id, key),
    UNIQUE (org_id, id)
) STRICT;

CREATE TABLE teams (
    org_id     BLOB    NOT NULL REFERENCES orgs (id),
    id         BLOB    NOT NULL,
    name       TEXT    NOT NULL,
    slug       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, slug)
) STRICT;

CREATE TABLE team_members (
    org_id     BLOB    NOT NULL REFERENCES orgs (id),
    team_id    BLOB    NOT NULL,
    account_id BLOB    NOT NULL,
    role       TEXT    NOT NULL,
    joined_at  INTEGER NOT NULL,
    PRIMARY KEY (org_id, team_id, account_id),
    FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES org_members (org_id, account_id)
) STRICT;
CREATE INDEX team_members_account ON team_members (org_id, account_id);
CREATE INDEX team_members_joined ON team_members (org_id, team_id, joined_at, account_id);

CREATE TABLE org_invitations (
    org_id      BLOB    NOT NULL REFERENCES orgs (id),
    id          BLOB    NOT NULL,
    email       TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    team_ids    TEXT    NOT NULL,
    token_hash  BLOB    NOT NULL UNIQUE,
    invited_by  BLOB,
    expires_at  INTEGER NOT NULL,
    accepted_at INTEGER,
    revoked_at  INTEGER,
    created_at  INTEGER NOT NULL,
    sent_at     INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT;
CREATE INDEX org_invitations_created ON org_invitations (org_id, created_at DESC, id DESC);
CREATE INDEX org_invitations_email ON org_invitations (org_id, email);
CREATE INDEX org_invitations_expiry ON org_invitations (expires_at);
