-- +goose Up
ALTER TABLE accounts ADD COLUMN second_factors TEXT NOT NULL DEFAULT '';
