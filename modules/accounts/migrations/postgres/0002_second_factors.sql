-- +goose Up
ALTER TABLE accounts ADD COLUMN second_factors text NOT NULL DEFAULT '';
