-- +goose Up
CREATE TABLE events (
    id           BLOB    NOT NULL,
    occurred_at  INTEGER NOT NULL,
    position     INTEGER,
    chain_hash   BLOB,
    org_id       BLOB,
    account_id   BLOB,
    type         TEXT    NOT NULL,
    actor_kind   TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL,
    on_behalf_of TEXT,
    target_kind  TEXT    NOT NULL,
    target_id    TEXT    NOT NULL,
    data         TEXT    NOT NULL,
    request_id   TEXT    NOT NULL,
    commitment   BLOB    NOT NULL,
    PRIMARY KEY (occurred_at, id)
) STRICT;
CREATE INDEX events_org ON events (org_id, occurred_at DESC, id DESC);
CREATE INDEX events_account ON events (account_id, occurred_at DESC, id DESC);
CREATE INDEX events_position ON events (position);
CREATE INDEX events_unsequenced ON events (occurred_at, id) WHERE position IS NULL;

CREATE TABLE event_details (
    event_id    BLOB    NOT NULL,
    occurred_at INTEGER NOT NULL,
    org_id      BLOB,
    account_id  BLOB,
    salt        BLOB    NOT NULL,
    actor_name  TEXT    NOT NULL,
    target_name TEXT    NOT NULL,
    ip_address  TEXT    NOT NULL,
    user_agent  TEXT    NOT NULL,
    changes     TEXT,
    PRIMARY KEY (occurred_at, event_id)
) STRICT;

CREATE TABLE event_head (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
) STRICT;
INSERT INTO event_head (id, position) VALUES (1, 0);
