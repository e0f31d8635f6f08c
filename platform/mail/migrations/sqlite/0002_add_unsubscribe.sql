-- +goose Up
ALTER TABLE mail_dev ADD COLUMN unsubscribe TEXT NOT NULL DEFAULT '';
