-- +goose Up
CREATE TABLE secret_keys (
    use        TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    wrapped    BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (use, id)
) STRICT;
