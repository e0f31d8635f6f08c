package audit

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

func firstEvent(ctx context.Context, c db.Conn) (time.Time, error) {
	return db.One(ctx, c, db.Scalar[time.Time], `SELECT min(occurred_at) FROM events`)
}

// eraseDetails removes the details of what happened in [from, to) and names a person. An
// invitation is called by the address that it was sent to.
func eraseDetails(ctx context.Context, c db.Conn, p db.Person, from, to time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM event_details WHERE occurred_at >= $1 AND occurred_at < $2 AND ($4 <> '' AND target_name = $4
			OR event_id IN (SELECT id FROM events WHERE occurred_at >= $1 AND occurred_at < $2 AND (actor_id = $3 OR target_id = $3 OR on_behalf_of = $3)))`,
		from, to, p.Account.String(), p.Email)
	return err
}
