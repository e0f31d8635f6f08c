-- +goose Up
CREATE TABLE secret_keys (
    use        text        NOT NULL,
    id         bigint      NOT NULL,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (use, id)
);
