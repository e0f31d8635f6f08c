package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

type eventRow struct {
	id         ID
	at         time.Time
	org        id.Org
	account    id.Account
	kind       string
	actorKind  authz.ActorKind
	actor      string
	onBehalfOf string
	target     Target
	data       jobs.Args
	request    string
	commitment []byte
}

func insertEvent(ctx context.Context, c db.Conn, e eventRow) error {
	var onBehalfOf any
	if e.onBehalfOf != "" {
		onBehalfOf = e.onBehalfOf
	}
	_, err := c.Exec(ctx, `
		INSERT INTO events (id, occurred_at, org_id, account_id, type, actor_kind, actor_id, on_behalf_of, target_kind, target_id, data, request_id, commitment)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		e.id, e.at, e.org, e.account, e.kind, string(e.actorKind), e.actor, onBehalfOf, e.target.Kind, e.target.ID, db.JSON(e.data), e.request, e.commitment)
	return err
}

func insertDetails(ctx context.Context, c db.Conn, e eventRow, salt []byte, d details) error {
	_, err := c.Exec(ctx, `
		INSERT INTO event_details (event_id, occurred_at, org_id, account_id, salt, actor_name, target_name, ip_address, user_agent, changes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		e.id, e.at, e.org, e.account, salt, d.ActorName, d.TargetName, d.IPAddress, d.UserAgent, db.JSON(d.Changes))
	return err
}

const noLimit = math.MaxInt32

// log is what one organization or account has of the events.
type log struct {
	column string
	owner  any
}

func logOfOrg(org id.Org) log             { return log{"org_id", org} }
func logOfAccount(account id.Account) log { return log{"account_id", account} }

func listEvents(ctx context.Context, c db.Conn, f Filter, after *position, n int, only ...log) ([]Event, error) {
	list := []Event{}
	err := eachEvent(ctx, c, f, after, n, func(e Event) error { list = append(list, e); return nil }, only...)
	return list, err
}

// eachEvent reads newest first. The end of the filter's time and the position of a page
// are one comparison of two columns: both databases begin there in the index of the log,
// or in the primary key, and read on from it.
func eachEvent(ctx context.Context, c db.Conn, f Filter, after *position, n int, fn func(Event) error, only ...log) error {
	before := f.end()
	if after != nil {
		before = *after
	}
	if f.From.IsZero() {
		f.From = time.UnixMicro(1)
	}
	args := []any{f.Type, f.Actor, f.Target, f.From, before.At, before.ID, n}
	in := ""
	for _, l := range only {
		args = append(args, l.owner)
		in += fmt.Sprintf(` AND e.%s = $%d`, l.column, len(args))
	}
	return db.Each(ctx, c, func(r db.Row) error {
		e, err := scanEvent(r)
		if err != nil {
			return err
		}
		return fn(e)
	}, `
		SELECT e.id, e.position, e.type, e.actor_kind, e.actor_id, e.on_behalf_of, e.target_kind, e.target_id, e.org_id, e.data, e.request_id, e.occurred_at,
			coalesce(d.actor_name, ''), coalesce(d.target_name, ''), coalesce(d.ip_address, ''), coalesce(d.user_agent, ''), d.changes
		FROM events e LEFT JOIN event_details d ON d.event_id = e.id AND d.occurred_at = e.occurred_at
		WHERE ($1 = '' OR e.type = $1) AND ($2 = '' OR e.actor_id = $2) AND ($3 = '' OR e.target_id = $3)
			AND e.occurred_at >= $4 AND (e.occurred_at, e.id) < ($5, $6)`+in+`
		ORDER BY e.occurred_at DESC, e.id DESC LIMIT $7`, args...)
}

func scanEvent(r db.Row) (e Event, err error) {
	var org id.Org
	var changes json.RawMessage
	err = r.Scan(&e.ID, &e.Position, &e.Type, &e.Actor.Kind, &e.Actor.ID, &e.Actor.OnBehalfOf, &e.Target.Kind, &e.Target.ID, &org, &e.Data,
		&e.RequestID, &e.OccurredAt, &e.Actor.Name, &e.Target.Name, &e.IPAddress, &e.UserAgent, &changes)
	if err != nil {
		return e, err
	}
	if !org.IsZero() {
		e.OrgID = &org
	}
	if len(changes) > 0 {
		if err := json.Unmarshal(changes, &e.Changes); err != nil {
			return e, fmt.Errorf("read the changes of event %s: %w", e.ID, err)
		}
	}
	return e, nil
}

func anyUnsequenced(ctx context.Context, c db.Conn) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM (SELECT 1 FROM events WHERE position IS NULL LIMIT 1) AS waiting`)
	return n > 0, err
}

// sequenceBatch locks the head, so that only one node counts at a time.
func sequenceBatch(ctx context.Context, tx *db.Tx, n int) error {
	head, err := db.One(ctx, tx, db.Scalar[int64], `UPDATE event_head SET position = position WHERE id = 1 RETURNING position`)
	if err != nil {
		return fmt.Errorf("lock the head of the event log: %w", err)
	}
	done, err := tx.Exec(ctx, `
		UPDATE events SET position = $1 + next.n
		FROM (SELECT id, occurred_at, row_number() OVER (ORDER BY occurred_at, id) AS n FROM events WHERE position IS NULL ORDER BY occurred_at, id LIMIT $2) AS next
		WHERE events.id = next.id AND events.occurred_at = next.occurred_at`, head, n)
	if err != nil {
		return fmt.Errorf("give events their positions: %w", err)
	}
	_, err = tx.Exec(ctx, `UPDATE event_head SET position = $1 WHERE id = 1`, head+done)
	return err
}

// makePartitions makes the coming months' partitions; SQLite has none.
func makePartitions(ctx context.Context, c db.Conn) error {
	if c.Dialect() != db.Postgres {
		return nil
	}
	_, err := c.Exec(ctx, `SELECT make_event_partitions()`)
	return err
}
