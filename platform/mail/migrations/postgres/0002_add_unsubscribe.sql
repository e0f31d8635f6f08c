-- +goose Up
ALTER TABLE mail_dev ADD COLUMN unsubscribe text NOT NULL DEFAULT '';
