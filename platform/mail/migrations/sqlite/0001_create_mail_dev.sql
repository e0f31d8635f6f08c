-- +goose Up
CREATE TABLE mail_dev (
  id         BLOB    NOT NULL PRIMARY KEY,
  message_id TEXT    NOT NULL UNIQUE,
  recipient  TEXT    NOT NULL,
  subject    TEXT    NOT NULL,
  text       TEXT    NOT NULL,
  html       TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
