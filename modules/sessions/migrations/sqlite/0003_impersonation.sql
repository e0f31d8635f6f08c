-- +goose Up
ALTER TABLE sessions ADD COLUMN impersonator_id BLOB;
ALTER TABLE sessions ADD COLUMN impersonator_session BLOB;
ALTER TABLE sessions ADD COLUMN impersonator_name TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN impersonator_writes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_impersonator ON sessions (impersonator_id) WHERE impersonator_id IS NOT NULL;
