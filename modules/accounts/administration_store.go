package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const administeredColumns = Columns + `, a.suspended_at, a.purge_at`

func scanAdministered(r db.Row) (Administered, error) {
	var t Targets
	var suspendedAt, purgeAt *time.Time
	if err := r.Scan(append(t.Dest(), &suspendedAt, &purgeAt)...); err != nil {
		return Administered{}, err
	}
	return Administered{t.Done(), suspendedAt, purgeAt}, nil
}

func administered(ctx context.Context, c db.Conn, account id.Account) (Administered, error) {
	a, err := db.One(ctx, c, scanAdministered, `SELECT `+administeredColumns+` FROM accounts a WHERE a.id = $1`, account)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNotFound
	}
	return a, err
}

// listAccounts reads newest first. Names are compared in lower case; SQLite knows that of
// ASCII only.
func listAccounts(ctx context.Context, c db.Conn, f Filter, after *Place, n int) ([]Administered, error) {
	if after == nil {
		after = &Place{At: db.EndOfTime()}
	}
	wanted, _ := id.Parse[id.AccountKind](f.Text) // zero, which is nobody, where it is no id
	return db.All(ctx, c, scanAdministered, `SELECT `+administeredColumns+` FROM accounts a
		WHERE a.status <> 'gone' AND ($1 = '' OR a.status = $1) AND ($2 = 0 OR a.email_verified_at IS NULL) AND ($3 = 0 OR a.is_admin)
			AND ($4 = '%%' OR a.id = $5 OR a.email LIKE $4 ESCAPE '\' OR lower(a.name) LIKE $4 ESCAPE '\')
			AND (a.created_at < $6 OR a.created_at = $6 AND a.id < $7)
		ORDER BY a.created_at DESC, a.id DESC LIMIT $8`,
		string(f.Status), flag(f.Unverified), flag(f.Administrators), containing(f.Text), wanted, after.At, after.ID, n)
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// containing is the pattern of whatever has text in it.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// holdAdministrators locks a row that is always there afterwards: that of the set-up,
// which is over where there is an administrator.
func holdAdministrators(ctx context.Context, c db.Conn, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO setup (id, token_hash, offered_at, completed_at) VALUES (1, $1, $2, $2)
		ON CONFLICT (id) DO UPDATE SET completed_at = coalesce(setup.completed_at, excluded.completed_at)`, []byte{}, now)
	return err
}

func otherAdministrators(ctx context.Context, c db.Conn, account id.Account) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM accounts WHERE is_admin AND status = 'active' AND id <> $1`, account)
}

func suspend(ctx context.Context, c db.Conn, account id.Account, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET status = 'suspended', suspended_at = $2 WHERE id = $1 AND status = 'active'`, account, now)
	return n == 1, err
}

func reinstate(ctx context.Context, c db.Conn, account id.Account) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET status = 'active', suspended_at = NULL WHERE id = $1 AND status = 'suspended'`, account)
	return n == 1, err
}

func beginDeletion(ctx context.Context, c db.Conn, account id.Account, purgeAt time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET status = 'deleting', purge_at = $2 WHERE id = $1 AND status IN ('active', 'suspended')`, account, purgeAt)
	return n == 1, err
}

func restore(ctx context.Context, c db.Conn, account id.Account, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET status = CASE WHEN suspended_at IS NULL THEN 'active' ELSE 'suspended' END, purge_at = NULL
		WHERE id = $1 AND status = 'deleting' AND purge_at > $2`, account, now)
	return n == 1, err
}

func dueAccounts(ctx context.Context, c db.Conn, now time.Time, n int) ([]id.Account, error) {
	return db.All(ctx, c, db.Scalar[id.Account], `SELECT id FROM accounts WHERE purge_at <= $1 AND status IN ('deleting', 'gone') ORDER BY purge_at LIMIT $2`, now, n)
}

func bury(ctx context.Context, c db.Conn, account id.Account, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET status = 'gone' WHERE id = $1 AND status = 'deleting' AND purge_at <= $2`, account, now)
	return n == 1, err
}

// gone returns an account that is to be erased, if it is one.
func gone(ctx context.Context, c db.Conn, account id.Account) (Account, bool, error) {
	a, err := accountByID(ctx, c, account)
	if errors.Is(err, ErrNotFound) {
		return a, false, nil
	}
	return a, err == nil && a.Status == Gone, err
}
