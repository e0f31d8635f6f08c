package passkeys

import (
	"context"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// row is a passkey with what checks it.
type row struct {
	Passkey
	account        id.Account
	credentialID   []byte
	publicKey      []byte // COSE
	signCount      uint32
	aaguid         []byte
	backupEligible bool
}

const columns = `account_id, id, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backed_up, name, created_at, last_used_at`

func scanRow(r db.Row) (p row, err error) {
	var transports string
	var count int64
	var used time.Time
	err = r.Scan(&p.account, &p.ID, &p.credentialID, &p.publicKey, &count, &p.aaguid, &transports, &p.backupEligible, &p.BackedUp, &p.Name, &p.CreatedAt, &used)
	p.signCount, p.Transports = uint32(count), strings.FieldsFunc(transports, func(r rune) bool { return r == ',' })
	if !used.IsZero() {
		p.LastUsedAt = &used
	}
	return p, err
}

// insertPasskey reports whether it did: no two accounts share a credential.
func insertPasskey(ctx context.Context, c db.Conn, p row) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO passkeys (account_id, id, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backed_up, name, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (credential_id) DO NOTHING`,
		p.account, p.ID, p.credentialID, p.publicKey, int64(p.signCount), p.aaguid, strings.Join(p.Transports, ","), p.backupEligible, p.BackedUp, p.Name, p.CreatedAt)
	return n == 1, err
}

func passkeysOf(ctx context.Context, c db.Conn, account id.Account) ([]row, error) {
	return db.All(ctx, c, scanRow, `SELECT `+columns+` FROM passkeys WHERE account_id = $1 ORDER BY created_at, id`, account)
}

func passkeyByCredential(ctx context.Context, c db.Conn, credential []byte) (row, error) {
	return db.One(ctx, c, scanRow, `SELECT `+columns+` FROM passkeys WHERE credential_id = $1`, credential)
}

type position struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func positionOf(p Passkey) position { return position{p.CreatedAt, p.ID} }

func listPasskeys(ctx context.Context, c db.Conn, account id.Account, after *position, n int) ([]Passkey, error) {
	if after == nil {
		after = &position{At: time.Unix(0, 0)}
	}
	return db.All(ctx, c, func(r db.Row) (Passkey, error) {
		p, err := scanRow(r)
		return p.Passkey, err
	}, `SELECT `+columns+` FROM passkeys WHERE account_id = $1 AND (created_at > $2 OR created_at = $2 AND id > $3) ORDER BY created_at, id LIMIT $4`,
		account, after.At, after.ID, n)
}

func getPasskey(ctx context.Context, c db.Conn, account id.Account, passkey ID) (row, error) {
	return db.One(ctx, c, scanRow, `SELECT `+columns+` FROM passkeys WHERE account_id = $1 AND id = $2`, account, passkey)
}

func exists(ctx context.Context, c db.Conn, account id.Account, passkey ID) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM passkeys WHERE account_id = $1 AND id = $2`, account, passkey)
	return n > 0, err
}

func renamePasskey(ctx context.Context, c db.Conn, account id.Account, passkey ID, name string) error {
	_, err := c.Exec(ctx, `UPDATE passkeys SET name = $3 WHERE account_id = $1 AND id = $2`, account, passkey, name)
	return err
}

func deletePasskey(ctx context.Context, c db.Conn, account id.Account, passkey ID) (bool, error) {
	n, err := c.Exec(ctx, `DELETE FROM passkeys WHERE account_id = $1 AND id = $2`, account, passkey)
	return n == 1, err
}

// markUsed notes a use, unless it is none: a passkey that counts its uses has counted
// more than ever before. Of two copies that are used at once, one finds that it has.
func markUsed(ctx context.Context, c db.Conn, account id.Account, passkey ID, signCount uint32, backedUp bool, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE passkeys SET sign_count = $3, backed_up = $4, last_used_at = $5
		WHERE account_id = $1 AND id = $2 AND (sign_count < $3 OR sign_count = 0 AND $3 = 0)`, account, passkey, int64(signCount), backedUp, now)
	return n == 1, err
}

func findHandle(ctx context.Context, c db.Conn, account id.Account) ([]byte, error) {
	return db.One(ctx, c, db.Scalar[[]byte], `SELECT handle FROM passkey_handles WHERE account_id = $1`, account)
}

func insertHandle(ctx context.Context, c db.Conn, account id.Account, handle []byte, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO passkey_handles (account_id, handle, created_at) VALUES ($1, $2, $3) ON CONFLICT (account_id) DO NOTHING`, account, handle, now)
	return err
}

func insertChallenge(ctx context.Context, c db.Conn, account id.Account, p Purpose, hash []byte, name string, now, expires time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO passkey_challenges (account_id, id, token_hash, purpose, name, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		account, id.New[challengeKind](), hash, string(p), name, now, expires)
	return err
}

// useChallenge uses a challenge up: of many at once, one finds it open.
func useChallenge(ctx context.Context, c db.Conn, account id.Account, p Purpose, hash []byte, now time.Time) (name string, err error) {
	return db.One(ctx, c, db.Scalar[string], `UPDATE passkey_challenges SET used_at = $4
		WHERE account_id = $1 AND purpose = $2 AND token_hash = $3 AND used_at IS NULL AND expires_at > $4 RETURNING name`, account, string(p), hash, now)
}

func insertSignIn(ctx context.Context, c db.Conn, hash []byte, now, expires time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO passkey_sign_ins (token_hash, created_at, expires_at) VALUES ($1, $2, $3)`, hash, now, expires)
	return err
}

// useSignIn is useChallenge where nobody is known yet.
func useSignIn(ctx context.Context, c db.Conn, hash []byte, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE passkey_sign_ins SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2`, hash, now)
	return n == 1, err
}

func deleteOldChallenges(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM passkey_challenges WHERE expires_at < $1`, before)
}

func deleteOldSignIns(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM passkey_sign_ins WHERE expires_at < $1`, before)
}
