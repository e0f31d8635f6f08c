-- +goose Up
CREATE TABLE mail_dev (
  id         uuid        NOT NULL PRIMARY KEY,
  message_id text        NOT NULL UNIQUE,
  recipient  text        NOT NULL,
  subject    text        NOT NULL,
  text       text        NOT NULL,
  html       text        NOT NULL,
  created_at timestamptz NOT NULL
);
