package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/platform/db"
)

const entryColumns = `id, email, name, created_at, approved_at, expires_at`

func scanEntry(r db.Row) (e Entry, err error) {
	var approved, expires time.Time
	err = r.Scan(&e.ID, &e.Email, &e.Name, &e.CreatedAt, &approved, &expires)
	if !approved.IsZero() {
		e.ApprovedAt, e.ExpiresAt = &approved, &expires
	}
	return e, err
}

// insertEntry does nothing for an address that is on the list already.
func insertEntry(ctx context.Context, c db.Conn, e Entry) error {
	_, err := c.Exec(ctx, `INSERT INTO account_waitlist (id, email, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING`,
		e.ID, e.Email, e.Name, e.CreatedAt)
	return err
}

// waiting is a place in the list.
type waiting struct {
	At time.Time `json:"at"`
	ID EntryID   `json:"id"`
}

func listEntries(ctx context.Context, c db.Conn, after *waiting, n int) ([]Entry, error) {
	if after == nil {
		after = &waiting{At: time.Unix(0, 0)}
	}
	return db.All(ctx, c, scanEntry, `SELECT `+entryColumns+` FROM account_waitlist
		WHERE created_at > $1 OR created_at = $1 AND id > $2 ORDER BY created_at, id LIMIT $3`, after.At, after.ID, n)
}

func approveEntry(ctx context.Context, c db.Conn, entry EntryID, hash []byte, now, expires time.Time) (Entry, error) {
	e, err := db.One(ctx, c, scanEntry, `UPDATE account_waitlist SET token_hash = $2, approved_at = $3, expires_at = $4 WHERE id = $1 RETURNING `+entryColumns,
		entry, hash, now, expires)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrEntryNotFound
	}
	return e, err
}

func isApproved(ctx context.Context, c db.Conn, email string, now time.Time) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM account_waitlist WHERE email = $1 AND expires_at > $2`, email, now)
	return n > 0, err
}

func isApproval(ctx context.Context, c db.Conn, hash []byte, email string, now time.Time) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM account_waitlist WHERE token_hash = $1 AND email = $2 AND expires_at > $3`, hash, email, now)
	return n > 0, err
}

// useApproval takes the entry off the list: of many at once, one finds it there.
func useApproval(ctx context.Context, c db.Conn, hash []byte, email string, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `DELETE FROM account_waitlist WHERE token_hash = $1 AND email = $2 AND expires_at > $3`, hash, email, now)
	return n == 1, err
}

func deleteEntry(ctx context.Context, c db.Conn, entry EntryID) (bool, error) {
	n, err := c.Exec(ctx, `DELETE FROM account_waitlist WHERE id = $1`, entry)
	return n == 1, err
}

func deleteEntryOf(ctx context.Context, c db.Conn, email string) error {
	_, err := c.Exec(ctx, `DELETE FROM account_waitlist WHERE email = $1`, email)
	return err
}

func entryExists(ctx context.Context, c db.Conn, entry EntryID) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM account_waitlist WHERE id = $1`, entry)
	return n > 0, err
}
