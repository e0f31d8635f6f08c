-- +goose Up
ALTER TABLE accounts ADD COLUMN suspended_at INTEGER;
ALTER TABLE accounts ADD COLUMN purge_at INTEGER;
CREATE INDEX accounts_purge ON accounts (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX accounts_newest ON accounts (created_at DESC, id DESC);
