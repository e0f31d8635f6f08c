-- +goose Up
CREATE TABLE events (
    id           uuid        NOT NULL,
    occurred_at  timestamptz NOT NULL,
    position     bigint,
    chain_hash   bytea,
    org_id       uuid,
    account_id   uuid,
    type         text        NOT NULL,
    actor_kind   text        NOT NULL,
    actor_id     text        NOT NULL,
    on_behalf_of text,
    target_kind  text        NOT NULL,
    target_id    text        NOT NULL,
    data         jsonb       NOT NULL,
    request_id   text        NOT NULL,
    commitment   bytea       NOT NULL,
    PRIMARY KEY (occurred_at, id)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX events_org ON events (org_id, occurred_at DESC, id DESC);
CREATE INDEX events_account ON events (account_id, occurred_at DESC, id DESC);
CREATE INDEX events_position ON events (position);
CREATE INDEX events_unsequenced ON events (occurred_at, id) WHERE position IS NULL;

CREATE TABLE event_details (
    event_id    uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    org_id      uuid,
    account_id  uuid,
    salt        bytea       NOT NULL,
    actor_name  text        NOT NULL,
    target_name text        NOT NULL,
    ip_address  text        NOT NULL,
    user_agent  text        NOT NULL,
    changes     jsonb,
    PRIMARY KEY (occurred_at, event_id)
) PARTITION BY RANGE (occurred_at);

CREATE TABLE event_head (
    id       integer PRIMARY KEY CHECK (id = 1),
    position bigint  NOT NULL
);
INSERT INTO event_head (id, position) VALUES (1, 0);

-- A month without a partition of its own goes to the default one, so that an event
-- always finds its place. The function runs with its owner's rights: the role of
-- the running product owns no tables, and calls it to make the coming months.
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE TABLE event_details_default PARTITION OF event_details DEFAULT;
-- +goose StatementBegin
CREATE FUNCTION make_event_partitions() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    first date := date_trunc('month', now() AT TIME ZONE 'UTC');
    parent text;
    part text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['events', 'event_details'] LOOP
        FOR ahead IN 0..3 LOOP
            part := parent || '_' || to_char(first + make_interval(months => ahead), 'YYYY_MM');
            IF to_regclass(part) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, parent,
                    to_char(first + make_interval(months => ahead), 'YYYY-MM-DD') || ' 00:00:00+00',
                    to_char(first + make_interval(months => ahead + 1), 'YYYY-MM-DD') || ' 00:00:00+00');
            END IF;
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd
SELECT make_event_partitions();
