-- +goose Up
-- next_at moves on in the transaction that enqueues the job: that is what fires once.
CREATE TABLE jobs_schedules (
    name    text        NOT NULL PRIMARY KEY,
    spec    text        NOT NULL,
    next_at timestamptz NOT NULL,
    last_at timestamptz
);

-- A process that runs jobs counts its beats; one whose count stands still has died.
CREATE TABLE jobs_nodes (
    name text   NOT NULL PRIMARY KEY,
    beat bigint NOT NULL
);

CREATE TABLE jobs_minutes (
    minute    timestamptz NOT NULL,
    queue     text        NOT NULL,
    node      text        NOT NULL,
    completed bigint      NOT NULL,
    failed    bigint      NOT NULL,
    waits     jsonb       NOT NULL,
    runs      jsonb       NOT NULL,
    PRIMARY KEY (minute, queue, node)
);
