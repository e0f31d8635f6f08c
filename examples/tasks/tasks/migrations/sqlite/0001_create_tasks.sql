-- +goose Up
CREATE TABLE tasks (
    org_id      BLOB    NOT NULL REFERENCES orgs (id),
    id          BLOB    NOT NULL,
    title       TEXT    NOT NULL,
    assignee_id BLOB,
    told        INTEGER NOT NULL,
    welcomes_id BLOB,
    done_at     INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, welcomes_id)
) STRICT;
CREATE INDEX tasks_assignee ON tasks (org_id, assignee_id);
CREATE INDEX tasks_done ON tasks (done_at) WHERE done_at IS NOT NULL;
