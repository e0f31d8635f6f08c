-- +goose Up
CREATE TABLE notifications (
    account_id   BLOB        NOT NULL,
    id           BLOB        NOT NULL,
    org_id       BLOB,
    kind         TEXT        NOT NULL,
    level        TEXT        NOT NULL,
    title        TEXT        NOT NULL,
    message      TEXT        NOT NULL,
    action_label TEXT        NOT NULL,
    action_url   TEXT        NOT NULL,
    in_app       INTEGER     NOT NULL,
    digest       INTEGER     NOT NULL,
    read_at      INTEGER,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT;
CREATE INDEX notifications_created ON notifications (account_id, created_at DESC, id DESC) WHERE in_app;
CREATE INDEX notifications_unread ON notifications (account_id, created_at DESC, id DESC) WHERE in_app AND read_at IS NULL;
CREATE INDEX notifications_digest ON notifications (account_id) WHERE digest;
CREATE INDEX notifications_org ON notifications (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX notifications_age ON notifications (created_at);

CREATE TABLE notification_preferences (
    account_id BLOB        NOT NULL,
    kind       TEXT        NOT NULL,
    in_app     INTEGER     NOT NULL,
    email      TEXT        NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind)
) STRICT;

CREATE TABLE announcements (
    id          BLOB        PRIMARY KEY,
    level       TEXT        NOT NULL,
    title       TEXT        NOT NULL,
    message     TEXT        NOT NULL,
    action      TEXT       NOT NULL,
    dismissible INTEGER     NOT NULL,
    starts_at   INTEGER NOT NULL,
    ends_at     INTEGER,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    created_by  BLOB
) STRICT;
CREATE INDEX announcements_created ON announcements (created_at DESC, id DESC);
CREATE INDEX announcements_starts ON announcements (starts_at DESC, id DESC);
CREATE INDEX announcements_created_by ON announcements (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE announcement_dismissals (
    account_id      BLOB        NOT NULL,
    announcement_id BLOB        NOT NULL,
    dismissed_at    INTEGER NOT NULL,
    PRIMARY KEY (account_id, announcement_id)
) STRICT;
CREATE INDEX announcement_dismissals_of ON announcement_dismissals (announcement_id);
