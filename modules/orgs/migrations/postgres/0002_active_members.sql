-- +goose Up
ALTER TABLE org_members ADD COLUMN active boolean NOT NULL DEFAULT true;
CREATE INDEX orgs_newest ON orgs (created_at DESC, id DESC);
