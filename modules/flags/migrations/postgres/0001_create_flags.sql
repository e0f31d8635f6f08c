-- +goose Up
CREATE TABLE flags (
    id          uuid        PRIMARY KEY,
    key         text        NOT NULL UNIQUE,
    type        text        NOT NULL,
    description text        NOT NULL,
    owner       text        NOT NULL,
    tags        jsonb       NOT NULL,
    client      boolean     NOT NULL,
    enabled     boolean     NOT NULL,
    archived_at timestamptz,
    salt        text        NOT NULL,
    definition  jsonb       NOT NULL,
    buckets     jsonb       NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  uuid,
    updated_at  timestamptz NOT NULL,
    updated_by  uuid
);
CREATE INDEX flags_created_by ON flags (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX flags_updated_by ON flags (updated_by) WHERE updated_by IS NOT NULL;

-- Whoever changes a flag holds this row: what flags ask of each other is checked one by one.
CREATE TABLE flag_head (
    id       integer PRIMARY KEY,
    revision bigint NOT NULL
);

CREATE TABLE flag_changes (
    flag_id    uuid        NOT NULL REFERENCES flags (id),
    id         uuid        NOT NULL,
    verb       text        NOT NULL,
    reason     text        NOT NULL,
    changes    jsonb       NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by uuid,
    PRIMARY KEY (flag_id, id)
);
CREATE INDEX flag_changes_at ON flag_changes (flag_id, changed_at DESC, id DESC);
CREATE INDEX flag_changes_by ON flag_changes (changed_by) WHERE changed_by IS NOT NULL;

CREATE TABLE flag_counts (
    flag_id uuid        NOT NULL,
    day     timestamptz NOT NULL,
    variant text        NOT NULL,
    count   bigint      NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (flag_id, day, variant)
);
CREATE INDEX flag_counts_day ON flag_counts (day);
