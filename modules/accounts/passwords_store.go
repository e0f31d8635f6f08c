package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

type oldPasswordKind struct{}

func (oldPasswordKind) Prefix() string { return "opw" }

// updatePassword does nothing when the password is not the old one any more, and
// reports whether it did.
func updatePassword(ctx context.Context, c db.Conn, account id.Account, old, hash string, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET password_hash = $3, password_changed_at = $4, updated_at = $4 WHERE id = $1 AND password_hash = $2`, account, old, hash, now)
	return n == 1, err
}

// lastHashes returns the hashes of an account's last n passwords, the current one first.
func lastHashes(ctx context.Context, c db.Conn, account id.Account, n int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	current, err := db.All(ctx, c, db.Scalar[string], `SELECT password_hash FROM accounts WHERE id = $1 AND password_hash <> ''`, account)
	if err != nil {
		return nil, err
	}
	old, err := db.All(ctx, c, db.Scalar[string], `SELECT password_hash FROM account_passwords WHERE account_id = $1 ORDER BY replaced_at DESC, id DESC LIMIT $2`, account, n-1)
	return append(current, old...), err
}

func insertOldHash(ctx context.Context, c db.Conn, account id.Account, hash string, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO account_passwords (account_id, id, password_hash, replaced_at) VALUES ($1, $2, $3, $4)`, account, id.New[oldPasswordKind](), hash, now)
	return err
}

// deleteOldHashes keeps the last n.
func deleteOldHashes(ctx context.Context, c db.Conn, account id.Account, n int) error {
	_, err := c.Exec(ctx, `DELETE FROM account_passwords WHERE account_id = $1 AND id NOT IN
		(SELECT id FROM account_passwords WHERE account_id = $1 ORDER BY replaced_at DESC, id DESC LIMIT $2)`, account, n)
	return err
}

// ownerOfToken finds whose a token is, as long as it can be used.
func ownerOfToken(ctx context.Context, c db.Conn, p purpose, hash []byte, now time.Time) (id.Account, error) {
	owner, err := db.One(ctx, c, db.Scalar[id.Account], `SELECT account_id FROM account_tokens
		WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3`, hash, string(p), now)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrTokenInvalid
	}
	return owner, err
}
