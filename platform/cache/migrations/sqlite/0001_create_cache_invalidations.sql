-- +goose Up
CREATE TABLE cache_invalidations (
    id         BLOB    NOT NULL PRIMARY KEY,
    tag_kind   TEXT    NOT NULL,
    tag_id     BLOB,
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;
CREATE INDEX cache_invalidations_created_at_idx ON cache_invalidations (created_at);
