package sessions

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

func insertChallenge(ctx context.Context, c db.Conn, account id.Account, hash []byte, method string, cookie bool, now, expires time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO session_challenges (account_id, id, token_hash, method, cookie, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		account, id.New[challengeKind](), hash, method, cookie, now, expires)
	return err
}

func challengeOwner(ctx context.Context, c db.Conn, hash []byte, now time.Time) (id.Account, error) {
	return db.One(ctx, c, db.Scalar[id.Account], `SELECT account_id FROM session_challenges WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2`, hash, now)
}

// useChallenge uses a challenge up: of many at once, one finds it open.
func useChallenge(ctx context.Context, c db.Conn, account id.Account, hash []byte, now time.Time) (cookie bool, method string, err error) {
	type row struct {
		cookie bool
		method string
	}
	r, err := db.One(ctx, c, func(r db.Row) (v row, err error) { return v, r.Scan(&v.cookie, &v.method) },
		`UPDATE session_challenges SET used_at = $3 WHERE account_id = $1 AND token_hash = $2 AND used_at IS NULL AND expires_at > $3 RETURNING cookie, method`,
		account, hash, now)
	return r.cookie, r.method, err
}

// deleteChallenges ends sign-ins that were half done with what has changed since.
func deleteChallenges(ctx context.Context, c db.Conn, account id.Account) error {
	_, err := c.Exec(ctx, `DELETE FROM session_challenges WHERE account_id = $1`, account)
	return err
}

func deleteOldChallenges(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM session_challenges WHERE expires_at < $1`, before)
}
