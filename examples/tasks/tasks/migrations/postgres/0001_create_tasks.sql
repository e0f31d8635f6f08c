-- +goose Up
CREATE TABLE tasks (
    org_id      uuid        NOT NULL REFERENCES orgs (id),
    id          uuid        NOT NULL,
    title       text        NOT NULL,
    assignee_id uuid,
    told        boolean     NOT NULL,
    welcomes_id uuid,
    done_at     timestamptz,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, welcomes_id)
);
CREATE INDEX tasks_assignee ON tasks (org_id, assignee_id);
CREATE INDEX tasks_done ON tasks (done_at) WHERE done_at IS NOT NULL;
