-- +goose Up
-- next_at moves on in the transaction that enqueues the job: that is what fires once.
CREATE TABLE jobs_schedules (
    name    TEXT    NOT NULL PRIMARY KEY,
    spec    TEXT    NOT NULL,
    next_at INTEGER NOT NULL,
    last_at INTEGER
) STRICT;

-- A process that runs jobs counts its beats; one whose count stands still has died.
CREATE TABLE jobs_nodes (
    name TEXT    NOT NULL PRIMARY KEY,
    beat INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs_minutes (
    minute    INTEGER NOT NULL,
    queue     TEXT    NOT NULL,
    node      TEXT    NOT NULL,
    completed INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    waits     TEXT    NOT NULL,
    runs      TEXT    NOT NULL,
    PRIMARY KEY (minute, queue, node)
) STRICT;
