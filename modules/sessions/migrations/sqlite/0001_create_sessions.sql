-- +goose Up
CREATE TABLE sessions (
    account_id       BLOB    NOT NULL,
    id               BLOB    NOT NULL UNIQUE,
    cookie_hash      BLOB    UNIQUE,
    refresh_counter  INTEGER NOT NULL,
    refreshed_at     INTEGER NOT NULL,
    device_type      TEXT    NOT NULL,
    device_name      TEXT    NOT NULL,
    os_name          TEXT    NOT NULL,
    os_version       TEXT    NOT NULL,
    browser_name     TEXT    NOT NULL,
    browser_version  TEXT    NOT NULL,
    ip_address       TEXT    NOT NULL,
    country          TEXT    NOT NULL,
    city             TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    last_active_at   INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX sessions_newest ON sessions (account_id, created_at DESC, id DESC);
CREATE INDEX sessions_expires ON sessions (expires_at);
