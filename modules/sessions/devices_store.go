package sessions

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// devicesKnown says whether an account has known devices, and this among them.
type devicesKnown struct{ any, this bool }

func countDevices(ctx context.Context, c db.Conn, account id.Account, marks ...[]byte) (devicesKnown, error) {
	return db.One(ctx, c, func(r db.Row) (k devicesKnown, err error) {
		var all, these int
		err = r.Scan(&all, &these)
		return devicesKnown{all > 0, these > 0}, err
	}, `SELECT count(*), count(*) FILTER (WHERE mark_hash = $2 OR mark_hash = $3) FROM session_devices WHERE account_id = $1`, account, marks[0], marks[1])
}

func rememberDevice(ctx context.Context, c db.Conn, account id.Account, mark deviceMark, hash []byte, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO session_devices (account_id, id, mark, mark_hash, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (account_id, mark_hash) DO UPDATE SET seen_at = excluded.seen_at`, account, id.New[deviceKind](), string(mark), hash, now)
	return err
}

func isDevice(ctx context.Context, c db.Conn, account id.Account, hash []byte) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM session_devices WHERE account_id = $1 AND mark_hash = $2 AND mark = 'cookie'`, account, hash)
	return n > 0, err
}

func forgetDevices(ctx context.Context, c db.Conn, account id.Account) error {
	_, err := c.Exec(ctx, `DELETE FROM session_devices WHERE account_id = $1`, account)
	return err
}

func deleteUnseenDevices(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM session_devices WHERE seen_at < $1`, before)
}
