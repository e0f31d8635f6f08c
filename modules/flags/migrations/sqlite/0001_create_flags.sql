-- +goose Up
CREATE TABLE flags (
    id          BLOB    PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    type        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    owner       TEXT    NOT NULL,
    tags        TEXT    NOT NULL,
    client      INTEGER NOT NULL,
    enabled     INTEGER NOT NULL,
    archived_at INTEGER,
    salt        TEXT    NOT NULL,
    definition  TEXT    NOT NULL,
    buckets     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  BLOB,
    updated_at  INTEGER NOT NULL,
    updated_by  BLOB
) STRICT;
CREATE INDEX flags_created_by ON flags (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX flags_updated_by ON flags (updated_by) WHERE updated_by IS NOT NULL;

-- Whoever changes a flag holds this row: what flags ask of each other is checked one by one.
CREATE TABLE flag_head (
    id       INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE flag_changes (
    flag_id    BLOB    NOT NULL REFERENCES flags (id),
    id         BLOB    NOT NULL,
    verb       TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    changes    TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by BLOB,
    PRIMARY KEY (flag_id, id)
) STRICT;
CREATE INDEX flag_changes_at ON flag_changes (flag_id, changed_at DESC, id DESC);
CREATE INDEX flag_changes_by ON flag_changes (changed_by) WHERE changed_by IS NOT NULL;

CREATE TABLE flag_counts (
    flag_id BLOB    NOT NULL,
    day     INTEGER NOT NULL,
    variant TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (flag_id, day, variant)
) STRICT;
CREATE INDEX flag_counts_day ON flag_counts (day);
