package apikeys

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenonhq/tenon/internal/activity"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const keyColumns = `id, account_id, name, prefix, scopes, expires_at, rotated_at, previous_until, last_used_at, last_used_ip, created_at`

func scanKey(r db.Row) (k Key, err error) {
	err = k.scan(r)
	return k, err
}

// scan reads keyColumns, and further columns into dest.
func (k *Key) scan(r db.Row, dest ...any) error {
	var scopes json.RawMessage
	if err := r.Scan(append([]any{&k.ID, &k.AccountID, &k.Name, &k.Prefix, &scopes, &k.ExpiresAt, &k.RotatedAt, &k.PreviousExpiresAt, &k.LastUsedAt, &k.LastUsedIP, &k.CreatedAt}, dest...)...); err != nil {
		return err
	}
	if err := json.Unmarshal(scopes, &k.Scopes); err != nil {
		return fmt.Errorf("read the scopes of a key: %w", err)
	}
	return nil
}

func insertKey(ctx context.Context, c db.Conn, org id.Org, k Key, hash []byte) error {
	_, err := c.Exec(ctx, `INSERT INTO api_keys (org_id, id, account_id, name, prefix, hash, scopes, expires_at, last_used_ip, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9)`,
		org, k.ID, k.AccountID, k.Name, k.Prefix, hash, db.JSON(k.Scopes), k.ExpiresAt, k.CreatedAt)
	return err
}

func keyByID(ctx context.Context, c db.Conn, org id.Org, key ID) (Key, error) {
	k, err := db.One(ctx, c, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE org_id = $1 AND id = $2`, org, key)
	return k, db.NoRows(err, ErrNotFound)
}

// valueOf returns a key with the hash of its present value.
func valueOf(ctx context.Context, c db.Conn, org id.Org, key ID) (k Key, hash []byte, err error) {
	k, err = db.One(ctx, c, func(r db.Row) (k Key, err error) {
		err = k.scan(r, &hash)
		return k, err
	}, `SELECT `+keyColumns+`, hash FROM api_keys WHERE org_id = $1 AND id = $2`, org, key)
	return k, hash, db.NoRows(err, ErrNotFound)
}

func listKeys(ctx context.Context, c db.Conn, org id.Org, after *place, n int) ([]Key, error) {
	if after == nil {
		after = &place{At: db.EndOfTime()}
	}
	return db.All(ctx, c, scanKey, `SELECT `+keyColumns+` FROM api_keys
		WHERE org_id = $1 AND (created_at < $2 OR created_at = $2 AND id < $3) ORDER BY created_at DESC, id DESC LIMIT $4`, org, after.At, after.ID, n)
}

// countKeys counts the keys that have not expired.
func countKeys(ctx context.Context, c db.Conn, org id.Org, now time.Time) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM api_keys WHERE org_id = $1 AND (expires_at IS NULL OR expires_at > $2)`, org, now)
}

// keysOf lists the keys of an account that work, in every organization, newest first.
func keysOf(ctx context.Context, c db.Conn, account id.Account, now time.Time) ([]found, error) {
	return db.All(ctx, c, func(r db.Row) (f found, err error) {
		err = f.key.scan(r, &f.org)
		return f, err
	}, `SELECT `+keyColumns+`, org_id FROM api_keys WHERE account_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC, id DESC`, account, now)
}

func renameKey(ctx context.Context, c db.Conn, org id.Org, key ID, name string) (Key, error) {
	k, err := db.One(ctx, c, scanKey, `UPDATE api_keys SET name = $3 WHERE org_id = $1 AND id = $2 RETURNING `+keyColumns, org, key, name)
	return k, db.NoRows(err, ErrNotFound)
}

// newest is the value that a key gets.
type newest struct {
	seen      []byte // hash of the value that it replaces
	hash      []byte
	prefix    string
	expiresAt *time.Time // of the key
	overlap   time.Duration
	now       time.Time
}

// rotateKey gives a key a new value, if it still has the one that was seen and no older
// one works beside it: of many at once, one does.
func rotateKey(ctx context.Context, tx *db.Tx, org id.Org, key ID, v newest) (Key, error) {
	var previous []byte
	var until time.Time
	if v.overlap > 0 {
		previous, until = v.seen, v.now.Add(v.overlap)
	}
	k, err := db.One(ctx, tx, scanKey, `UPDATE api_keys SET hash = $4, prefix = $5, previous_hash = $6, previous_until = $7, rotated_at = $8, expires_at = $9
		WHERE org_id = $1 AND id = $2 AND hash = $3 AND ($10 OR previous_until IS NULL OR previous_until <= $8) RETURNING `+keyColumns,
		org, key, v.seen, v.hash, v.prefix, previous, until, v.now, v.expiresAt, v.overlap == 0)
	if !errors.Is(err, db.ErrNoRows) {
		return k, err
	}
	if _, err := keyByID(ctx, tx, org, key); err != nil {
		return k, err
	}
	return k, ErrRotationRunning
}

func deleteKey(ctx context.Context, c db.Conn, org id.Org, key ID) (Key, error) {
	k, err := db.One(ctx, c, scanKey, `DELETE FROM api_keys WHERE org_id = $1 AND id = $2 RETURNING `+keyColumns, org, key)
	return k, db.NoRows(err, ErrNotFound)
}

// deleteKeysOf removes the keys that an account had in an organization before an instant.
func deleteKeysOf(ctx context.Context, c db.Conn, org id.Org, account id.Account, before time.Time) ([]Key, error) {
	return db.All(ctx, c, scanKey, `DELETE FROM api_keys WHERE org_id = $1 AND account_id = $2 AND created_at < $3 RETURNING `+keyColumns, org, account, before)
}

func deleteKeysOfOrg(ctx context.Context, c db.Conn, org id.Org) error {
	_, err := c.Exec(ctx, `DELETE FROM api_keys WHERE org_id = $1`, org)
	return err
}

func deleteExpired(ctx context.Context, c db.Conn, before time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM api_keys WHERE expires_at < $1`, before)
	return err
}

// forgetPrevious drops the hashes of values whose overlap is over.
func forgetPrevious(ctx context.Context, c db.Conn, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE api_keys SET previous_hash = NULL, previous_until = NULL WHERE previous_until <= $1`, now)
	return err
}

// found is a key with what it belongs to.
type found struct {
	key      Key
	org      id.Org
	previous bool // it was found by the value before the last rotation
	owner    accounts.Account
}

// keyByHash finds a key by its value, or by the one before while that still works.
func keyByHash(ctx context.Context, c db.Conn, hash []byte, now time.Time) (found, error) {
	return db.One(ctx, c, func(r db.Row) (f found, err error) {
		var t accounts.Targets
		if err := f.key.scan(r, append([]any{&f.org, &f.previous}, t.Dest()...)...); err != nil {
			return f, err
		}
		f.owner = t.Done()
		return f, nil
	}, `SELECT k.id, k.account_id, k.name, k.prefix, k.scopes, k.expires_at, k.rotated_at, k.previous_until, k.last_used_at, k.last_used_ip, k.created_at,
			k.org_id, k.hash <> $1, `+accounts.Columns+`
		FROM api_keys k JOIN accounts a ON a.id = k.account_id
		WHERE k.hash = $1 OR k.previous_hash = $1 AND k.previous_until > $2`, hash, now)
}

// touch takes the rows in one order: two nodes that write down uses of the same keys do
// not wait for each other.
func touch(ctx context.Context, tx *db.Tx, uses []activity.Use[ID, use]) error {
	slices.SortFunc(uses, func(a, b activity.Use[ID, use]) int { return bytes.Compare(a.What[:], b.What[:]) })
	for _, u := range uses {
		address := ""
		if u.Use.address.IsValid() {
			address = u.Use.address.String()
		}
		if _, err := tx.Exec(ctx, `UPDATE api_keys SET last_used_at = $3, last_used_ip = $4 WHERE org_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)`,
			u.Use.org, u.What, u.Use.at, address); err != nil {
			return err
		}
	}
	return nil
}
