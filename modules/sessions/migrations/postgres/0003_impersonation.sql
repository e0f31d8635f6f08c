-- +goose Up
ALTER TABLE sessions ADD COLUMN impersonator_id uuid;
ALTER TABLE sessions ADD COLUMN impersonator_session uuid;
ALTER TABLE sessions ADD COLUMN impersonator_name text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN impersonator_writes boolean NOT NULL DEFAULT false;
CREATE INDEX sessions_impersonator ON sessions (impersonator_id) WHERE impersonator_id IS NOT NULL;
