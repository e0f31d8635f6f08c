-- +goose Up
CREATE TABLE orgs (
    id          uuid        NOT NULL PRIMARY KEY,
    slug        text        NOT NULL,
    name        text        NOT NULL,
    description text        NOT NULL,
    settings    jsonb       NOT NULL,
    status      text        NOT NULL,
    purge_at    timestamptz,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX orgs_purge ON orgs (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE org_slugs (
    slug   text NOT NULL PRIMARY KEY,
    org_id uuid NOT NULL UNIQUE REFERENCES orgs (id)
);

CREATE TABLE org_members (
    org_id     uuid        NOT NULL REFERENCES orgs (id),
    account_id uuid        NOT NULL,
    role       text        NOT NULL,
    name       text        NOT NULL,
    email      text        NOT NULL,
    joined_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, account_id)
);
CREATE INDEX org_members_account ON org_members (account_id, joined_at, org_id);
CREATE INDEX org_members_joined ON org_members (org_id, joined_at, account_id);
CREATE INDEX org_members_email ON org_members (org_id, email);
CREATE INDEX org_members_role ON org_members (org_id, role);

CREATE TABLE org_roles (
    org_id      uuid        NOT NULL REFERENCES orgs (id),
    key         text        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    permissions jsonb       NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, key),
    UNIQUE (org_id, id)
);

CREATE TABLE teams (
    org_id     uuid        NOT NULL REFERENCES orgs (id),
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    slug       text        NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, slug)
);

CREATE TABLE team_members (
    org_id     uuid        NOT NULL REFERENCES orgs (id),
    team_id    uuid        NOT NULL,
    account_id uuid        NOT NULL,
    role       text        NOT NULL,
    joined_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, team_id, account_id),
    FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES org_members (org_id, account_id)
);
CREATE INDEX team_members_account ON team_members (org_id, account_id);
CREATE INDEX team_members_joined ON team_members (org_id, team_id, joined_at, account_id);

CREATE TABLE org_invitations (
    org_id      uuid        NOT NULL REFERENCES orgs (id),
    id          uuid        NOT NULL,
    email       text        NOT NULL,
    role        text        NOT NULL,
    team_ids    jsonb       NOT NULL,
    token_hash  bytea       NOT NULL UNIQUE,
    invited_by  uuid,
    expires_at  timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at  timestamptz,
    created_at  timestamptz NOT NULL,
    sent_at     timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX org_invitations_created ON org_invitations (org_id, created_at DESC, id DESC);
CREATE INDEX org_invitations_email ON org_invitations (org_id, email);
CREATE INDEX org_invitations_expiry ON org_invitations (expires_at);
