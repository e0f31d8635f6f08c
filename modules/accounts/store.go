package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// Columns are those that Targets take, of the table accounts under the name a. The
// sessions module selects them together with a session, in one statement. The
// password's hash is not among them: whoever is signed in already needs none.
const Columns = `a.id, a.email, a.email_verified_at, a.name, a.avatar_url, a.locale, a.default_org_id, a.is_admin, a.status, a.second_factors, a.password_hash <> '', a.created_at, a.updated_at`

// Targets are where Columns are scanned to; call Done afterwards.
type Targets struct {
	Account    Account
	verifiedAt time.Time
	defaultOrg id.Org
	factors    string
}

// Dest lists the scan destinations in the order of Columns.
func (t *Targets) Dest() []any {
	a := &t.Account
	return []any{&a.ID, &a.Email, &t.verifiedAt, &a.Name, &a.AvatarURL, &a.Locale, &t.defaultOrg, &a.IsAdmin, &a.Status, &t.factors, &a.HasPassword, &a.CreatedAt, &a.UpdatedAt}
}

// Done returns the account that was scanned.
func (t *Targets) Done() Account {
	t.Account.EmailVerified = !t.verifiedAt.IsZero()
	t.Account.SecondFactors = splitFactors(t.factors)
	if !t.defaultOrg.IsZero() {
		t.Account.DefaultOrgID = &t.defaultOrg
	}
	return t.Account
}

const withHash = Columns + `, a.password_hash`

func scanAccount(r db.Row) (Account, error) {
	var t Targets
	if err := r.Scan(append(t.Dest(), &t.Account.PasswordHash)...); err != nil {
		return Account{}, err
	}
	return t.Done(), nil
}

func found(a Account, err error) (Account, error) {
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNotFound
	}
	return a, err
}

func accountByID(ctx context.Context, c db.Conn, account id.Account) (Account, error) {
	return found(db.One(ctx, c, scanAccount, `SELECT `+withHash+` FROM accounts a WHERE a.id = $1`, account))
}

func accountByEmail(ctx context.Context, c db.Conn, email string) (Account, error) {
	return found(db.One(ctx, c, scanAccount, `SELECT `+withHash+` FROM account_emails e JOIN accounts a ON a.id = e.account_id WHERE e.email = $1`, email))
}

// claimEmail gives an address to an account, unless another has it.
func claimEmail(ctx context.Context, c db.Conn, email string, account id.Account) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO account_emails (email, account_id) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING`, email, account)
	return n == 1, err
}

func insertAccount(ctx context.Context, c db.Conn, a Account) error {
	var verified time.Time
	if a.EmailVerified {
		verified = a.CreatedAt
	}
	_, err := c.Exec(ctx, `INSERT INTO accounts (id, email, email_verified_at, name, avatar_url, locale, is_admin, status, password_hash, password_changed_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $9, $9)`,
		a.ID, a.Email, verified, a.Name, a.Locale, a.IsAdmin, string(a.Status), a.PasswordHash, a.CreatedAt)
	return err
}

// replacePending changes only what nobody has proven yet, and reports whether it did.
// It also makes those who sign up at the same time take turns.
func replacePending(ctx context.Context, c db.Conn, account id.Account, p Prepared, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE accounts SET name = $2, locale = $3, password_hash = $4, password_changed_at = $5, updated_at = $5
		WHERE id = $1 AND email_verified_at IS NULL`, account, p.name, p.locale, p.hash, now)
	return n == 1, err
}

func markVerified(ctx context.Context, c db.Conn, account id.Account, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE accounts SET email_verified_at = $2, updated_at = $2 WHERE id = $1 AND email_verified_at IS NULL`, account, now)
	return err
}

// replaceHash does nothing when the password was changed meanwhile.
func replaceHash(ctx context.Context, c db.Conn, account id.Account, old, hash string) error {
	_, err := c.Exec(ctx, `UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2`, account, old, hash)
	return err
}

func changeEmail(ctx context.Context, c db.Conn, account id.Account, old, email string, now time.Time) error {
	if _, err := c.Exec(ctx, `DELETE FROM account_emails WHERE email = $1 AND account_id = $2`, old, account); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `UPDATE accounts SET email = $2, email_verified_at = $3, updated_at = $3 WHERE id = $1`, account, email, now)
	return err
}

func updateProfile(ctx context.Context, c db.Conn, a Account) error {
	var org id.Org
	if a.DefaultOrgID != nil {
		org = *a.DefaultOrgID
	}
	_, err := c.Exec(ctx, `UPDATE accounts SET name = $2, locale = $3, avatar_url = $4, default_org_id = $5, updated_at = $6 WHERE id = $1`,
		a.ID, a.Name, a.Locale, a.AvatarURL, org, a.UpdatedAt)
	return err
}

func setDefaultOrg(ctx context.Context, c db.Conn, account id.Account, org id.Org) error {
	_, err := c.Exec(ctx, `UPDATE accounts SET default_org_id = $2 WHERE id = $1 AND default_org_id IS NULL`, account, org)
	return err
}

func setAdmin(ctx context.Context, c db.Conn, account id.Account, is bool) error {
	_, err := c.Exec(ctx, `UPDATE accounts SET is_admin = $2 WHERE id = $1`, account, is)
	return err
}

// lockSecondFactors holds the account's row until the transaction ends.
func lockSecondFactors(ctx context.Context, c db.Conn, account id.Account) ([]string, error) {
	text, err := db.One(ctx, c, db.Scalar[string], `UPDATE accounts SET second_factors = second_factors WHERE id = $1 RETURNING second_factors`, account)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNotFound
	}
	return splitFactors(text), err
}

func setSecondFactors(ctx context.Context, c db.Conn, account id.Account, list []string) error {
	_, err := c.Exec(ctx, `UPDATE accounts SET second_factors = $2 WHERE id = $1`, account, strings.Join(list, ","))
	return err
}

func insertToken(ctx context.Context, c db.Conn, account id.Account, p purpose, hash []byte, email string, now, expires time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO account_tokens (account_id, id, purpose, token_hash, email, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		account, id.New[tokenKind](), string(p), hash, email, now, expires)
	return err
}

// useToken marks a token as used and returns whose it is: of many at once, one finds it unused.
func useToken(ctx context.Context, c db.Conn, p purpose, hash []byte, now time.Time) (owner id.Account, email string, err error) {
	type row struct {
		owner id.Account
		email string
	}
	r, err := db.One(ctx, c, func(r db.Row) (t row, err error) { return t, r.Scan(&t.owner, &t.email) },
		`UPDATE account_tokens SET used_at = $3 WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3 RETURNING account_id, email`,
		hash, string(p), now)
	if errors.Is(err, db.ErrNoRows) {
		err = ErrTokenInvalid
	}
	return r.owner, r.email, err
}

// voidTokens uses up every token of an account.
func voidTokens(ctx context.Context, c db.Conn, account id.Account, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE account_tokens SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL`, account, now)
	return err
}

func deleteOldTokens(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM account_tokens WHERE expires_at < $1`, before)
}

// offerSetup stores the token of the set-up link, as long as set-up is to be done.
func offerSetup(ctx context.Context, c db.Conn, hash []byte, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO setup (id, token_hash, offered_at)
		SELECT 1, CAST($1 AS `+bytesType(c)+`), CAST($2 AS `+instantType(c)+`) WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE is_admin)
		ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, offered_at = excluded.offered_at WHERE setup.completed_at IS NULL`, hash, now)
	return n == 1, err
}

// In a SELECT list PostgreSQL does not infer the type of a parameter.
func bytesType(c db.Conn) string {
	if c.Dialect() == db.Postgres {
		return "bytea"
	}
	return "BLOB"
}

func instantType(c db.Conn) string {
	if c.Dialect() == db.Postgres {
		return "timestamptz"
	}
	return "INTEGER"
}

func setupWaits(ctx context.Context, c db.Conn) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM (SELECT 1 FROM setup WHERE completed_at IS NOT NULL UNION ALL SELECT 1 FROM accounts WHERE is_admin) AS done`)
	return n == 0, err
}

func isOffered(ctx context.Context, c db.Conn, hash []byte) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM setup WHERE token_hash = $1 AND completed_at IS NULL`, hash)
	return n > 0, err
}

// completeSetup closes the door behind the first administrator. Without a hash it is
// the shell that asks, and no link needs to have been offered.
func completeSetup(ctx context.Context, c db.Conn, hash []byte, now time.Time) (bool, error) {
	if hash == nil {
		n, err := c.Exec(ctx, `INSERT INTO setup (id, token_hash, offered_at, completed_at) VALUES (1, $1, $2, $2)
			ON CONFLICT (id) DO UPDATE SET completed_at = excluded.completed_at WHERE setup.completed_at IS NULL`, []byte{}, now)
		return n == 1, err
	}
	n, err := c.Exec(ctx, `UPDATE setup SET completed_at = $2 WHERE id = 1 AND token_hash = $1 AND completed_at IS NULL`, hash, now)
	return n == 1, err
}
