-- +goose Up
ALTER TABLE org_members ADD COLUMN active INTEGER NOT NULL DEFAULT 1;
CREATE INDEX orgs_newest ON orgs (created_at DESC, id DESC);
