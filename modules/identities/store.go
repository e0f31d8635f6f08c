package identities

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

func insertFlow(ctx context.Context, c db.Conn, stateHash []byte, f flow) error {
	_, err := c.Exec(ctx, `INSERT INTO identity_flows (state_hash, provider, browser_hash, sealed, redirect_to, purpose, account_id, session_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		stateHash, f.provider, f.browserHash, f.sealed, f.redirectTo, string(f.purpose), f.account, f.session, f.createdAt, f.expiresAt)
	return err
}

// useFlow marks a flow as used: of many at once, one finds it unused.
func useFlow(ctx context.Context, c db.Conn, stateHash []byte, now time.Time) (flow, error) {
	return db.One(ctx, c, func(r db.Row) (f flow, err error) {
		return f, r.Scan(&f.provider, &f.browserHash, &f.sealed, &f.redirectTo, &f.purpose, &f.account, &f.session, &f.createdAt, &f.expiresAt)
	}, `UPDATE identity_flows SET used_at = $2 WHERE state_hash = $1 AND used_at IS NULL AND expires_at > $2
		RETURNING provider, browser_hash, sealed, redirect_to, purpose, account_id, session_id, created_at, expires_at`, stateHash, now)
}

func deleteOldFlows(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM identity_flows WHERE expires_at < $1`, before)
}

// holder is whose an issuer's subject is.
type holder struct {
	account  id.Account
	identity ID
}

func holderOf(ctx context.Context, c db.Conn, issuer, subject string) (holder, error) {
	return db.One(ctx, c, func(r db.Row) (h holder, err error) { return h, r.Scan(&h.account, &h.identity) },
		`SELECT account_id, identity_id FROM identity_subjects WHERE issuer = $1 AND subject = $2`, issuer, subject)
}

// insertIdentity reports whether the subject was nobody's. Of two who claim it at
// once, the second waits for the first.
func insertIdentity(ctx context.Context, c db.Conn, account id.Account, i Identity, who person) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO identity_subjects (issuer, subject, account_id, identity_id) VALUES ($1, $2, $3, $4) ON CONFLICT (issuer, subject) DO NOTHING`,
		who.issuer, who.subject, account, i.ID)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = c.Exec(ctx, `INSERT INTO identities (account_id, id, provider, issuer, subject, email, name, linked_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		account, i.ID, i.Provider, who.issuer, who.subject, i.Email, i.Name, i.LinkedAt, i.LastUsedAt)
	return err == nil, err
}

// touchIdentity notes a sign-in, and reports whether the identity is still there.
func touchIdentity(ctx context.Context, c db.Conn, h holder, email, name string, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE identities SET email = $3, name = $4, last_used_at = $5 WHERE account_id = $1 AND id = $2`, h.account, h.identity, email, name, now)
	return n == 1, err
}

const identityColumns = `id, provider, issuer, email, name, linked_at, last_used_at`

func scanIdentity(r db.Row) (Identity, error) {
	var i Identity
	var used time.Time
	if err := r.Scan(&i.ID, &i.Provider, &i.issuer, &i.Email, &i.Name, &i.LinkedAt, &used); err != nil {
		return i, err
	}
	if !used.IsZero() {
		i.LastUsedAt = &used
	}
	return i, nil
}

func identitiesOf(ctx context.Context, c db.Conn, account id.Account) ([]Identity, error) {
	return db.All(ctx, c, scanIdentity, `SELECT `+identityColumns+` FROM identities WHERE account_id = $1 ORDER BY linked_at, id`, account)
}

// position is where a page of identities ends.
type position struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func positionOf(i Identity) position { return position{i.LinkedAt, i.ID} }

func identitiesAfter(ctx context.Context, c db.Conn, account id.Account, after *position, n int) ([]Identity, error) {
	if after == nil {
		after = &position{At: time.UnixMicro(1).UTC()} // before every instant in the database
	}
	return db.All(ctx, c, scanIdentity, `SELECT `+identityColumns+` FROM identities
		WHERE account_id = $1 AND (linked_at > $2 OR linked_at = $2 AND id > $3) ORDER BY linked_at, id LIMIT $4`, account, after.At, after.ID, n)
}

func exists(ctx context.Context, c db.Conn, account id.Account, identity ID) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM identities WHERE account_id = $1 AND id = $2`, account, identity)
	return n > 0, err
}

func deleteIdentity(ctx context.Context, c db.Conn, account id.Account, identity ID) error {
	if _, err := c.Exec(ctx, `DELETE FROM identity_subjects WHERE account_id = $1 AND identity_id = $2`, account, identity); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `DELETE FROM identities WHERE account_id = $1 AND id = $2`, account, identity)
	return err
}
