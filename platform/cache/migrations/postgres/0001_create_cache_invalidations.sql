-- +goose Up
-- created_at is the clock of the database: the nodes' own clocks may disagree.
CREATE TABLE cache_invalidations (
    id         uuid        NOT NULL PRIMARY KEY,
    tag_kind   text        NOT NULL,
    tag_id     uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX cache_invalidations_created_at_idx ON cache_invalidations (created_at);
