-- +goose Up
CREATE TABLE notifications (
    account_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    org_id       uuid,
    kind         text        NOT NULL,
    level        text        NOT NULL,
    title        text        NOT NULL,
    message      text        NOT NULL,
    action_label text        NOT NULL,
    action_url   text        NOT NULL,
    in_app       boolean     NOT NULL,
    digest       boolean     NOT NULL,
    read_at      timestamptz,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX notifications_created ON notifications (account_id, created_at DESC, id DESC) WHERE in_app;
CREATE INDEX notifications_unread ON notifications (account_id, created_at DESC, id DESC) WHERE in_app AND read_at IS NULL;
CREATE INDEX notifications_digest ON notifications (account_id) WHERE digest;
CREATE INDEX notifications_org ON notifications (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX notifications_age ON notifications (created_at);

CREATE TABLE notification_preferences (
    account_id uuid        NOT NULL,
    kind       text        NOT NULL,
    in_app     boolean     NOT NULL,
    email      text        NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, kind)
);

CREATE TABLE announcements (
    id          uuid        PRIMARY KEY,
    level       text        NOT NULL,
    title       text        NOT NULL,
    message     text        NOT NULL,
    action      jsonb       NOT NULL,
    dismissible boolean     NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    created_by  uuid
);
CREATE INDEX announcements_created ON announcements (created_at DESC, id DESC);
CREATE INDEX announcements_starts ON announcements (starts_at DESC, id DESC);
CREATE INDEX announcements_created_by ON announcements (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE announcement_dismissals (
    account_id      uuid        NOT NULL,
    announcement_id uuid        NOT NULL,
    dismissed_at    timestamptz NOT NULL,
    PRIMARY KEY (account_id, announcement_id)
);
CREATE INDEX announcement_dismissals_of ON announcement_dismissals (announcement_id);
