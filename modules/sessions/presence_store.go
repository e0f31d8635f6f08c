package sessions

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// countLive counts sessions and finds the latest activity, by account.
func countLive(ctx context.Context, c db.Conn, people []id.Account, now time.Time, idle time.Duration, fn func(account id.Account, live int, active time.Time)) error {
	return db.Each(ctx, c, func(r db.Row) error {
		var account id.Account
		var live int
		var active time.Time
		if err := r.Scan(&account, &live, &active); err != nil {
			return err
		}
		fn(account, live, active)
		return nil
	}, `SELECT account_id, count(*) FILTER (WHERE expires_at > $1 AND last_active_at > $2), max(last_active_at) FROM sessions
		WHERE impersonator_id IS NULL AND account_id IN (`+places(3, len(people))+`) GROUP BY account_id`, arguments(people, now, now.Add(-idle))...)
}

// lastSignIns finds when somebody last signed in, by account: every sign-in notes its device.
func lastSignIns(ctx context.Context, c db.Conn, people []id.Account, fn func(account id.Account, at time.Time)) error {
	return db.Each(ctx, c, func(r db.Row) error {
		var account id.Account
		var at time.Time
		if err := r.Scan(&account, &at); err != nil {
			return err
		}
		fn(account, at)
		return nil
	}, `SELECT account_id, max(seen_at) FROM session_devices WHERE account_id IN (`+places(1, len(people))+`) GROUP BY account_id`, arguments(people)...)
}

// places are n placeholders, the first of which has the given number.
func places(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(list, ", ")
}

func arguments(people []id.Account, before ...any) []any {
	for _, p := range people {
		before = append(before, p)
	}
	return before
}
