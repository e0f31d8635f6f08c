-- +goose Up
CREATE TABLE sessions (
    account_id       uuid        NOT NULL,
    id               uuid        NOT NULL UNIQUE,
    cookie_hash      bytea       UNIQUE,
    refresh_counter  bigint      NOT NULL,
    refreshed_at     timestamptz NOT NULL,
    device_type      text        NOT NULL,
    device_name      text        NOT NULL,
    os_name          text        NOT NULL,
    os_version       text        NOT NULL,
    browser_name     text        NOT NULL,
    browser_version  text        NOT NULL,
    ip_address       text        NOT NULL,
    country          text        NOT NULL,
    city             text        NOT NULL,
    created_at       timestamptz NOT NULL,
    last_active_at   timestamptz NOT NULL,
    authenticated_at timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
) WITH (fillfactor = 80);
CREATE INDEX sessions_newest ON sessions (account_id, created_at DESC, id DESC);
CREATE INDEX sessions_expires ON sessions (expires_at);
