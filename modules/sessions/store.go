package sessions

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/tenonhq/tenon/internal/activity"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

type row struct {
	Session
	account         id.Account
	cookieHash      []byte // of a browser's session
	authenticatedAt time.Time
	by              impersonator // for a session of an administrator who acts as the account
}

// impersonator is who acts as somebody, and for how long at most: as long as the session
// lasts in which they asked for it.
type impersonator struct {
	account  id.Account
	session  ID
	name     string
	mayWrite bool
}

func insertSession(ctx context.Context, c db.Conn, r row) error {
	_, err := c.Exec(ctx, `
		INSERT INTO sessions (account_id, id, cookie_hash, refresh_counter, refreshed_at, device_type, device_name, os_name, os_version,
			browser_name, browser_version, ip_address, country, city, created_at, last_active_at, authenticated_at, expires_at,
			impersonator_id, impersonator_session, impersonator_name, impersonator_writes)
		VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $14, $15, $4, $4, $12, $13, $16, $17, $18, $19)`,
		r.account, r.ID, r.cookieHash, r.CreatedAt, r.DeviceType, r.DeviceName, r.OSName, r.OSVersion,
		r.BrowserName, r.BrowserVersion, r.IPAddress, r.authenticatedAt, r.ExpiresAt, r.Country, r.City,
		r.by.account, r.by.session, r.by.name, r.by.mayWrite)
	return err
}

// loaded is a session with its account.
type loaded struct {
	id              ID
	authenticatedAt time.Time
	lastActiveAt    time.Time
	expiresAt       time.Time
	by              impersonator
	account         accounts.Account
}

const selectLoaded = `SELECT s.id, s.authenticated_at, s.last_active_at, s.expires_at, s.impersonator_id, s.impersonator_session, s.impersonator_name, s.impersonator_writes, ` + accounts.Columns + ` FROM sessions s JOIN accounts a ON a.id = s.account_id `

func scanLoaded(r db.Row) (loaded, error) {
	var l loaded
	var t accounts.Targets
	if err := r.Scan(append([]any{&l.id, &l.authenticatedAt, &l.lastActiveAt, &l.expiresAt, &l.by.account, &l.by.session, &l.by.name, &l.by.mayWrite}, t.Dest()...)...); err != nil {
		return l, err
	}
	l.account = t.Done()
	return l, nil
}

func sessionByID(ctx context.Context, c db.Conn, session ID) (loaded, error) {
	return db.One(ctx, c, scanLoaded, selectLoaded+`WHERE s.id = $1`, session)
}

func sessionByCookie(ctx context.Context, c db.Conn, hash []byte) (loaded, error) {
	return db.One(ctx, c, scanLoaded, selectLoaded+`WHERE s.cookie_hash = $1`, hash)
}

// position is where a page of sessions ends.
type position struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func positionOf(s Session) position { return position{s.CreatedAt, s.ID} }

const live = ` AND expires_at > $2 AND last_active_at > $3 `

func listSessions(ctx context.Context, c db.Conn, account id.Account, now time.Time, idle time.Duration, after *position, n int) ([]Session, error) {
	if after == nil {
		after = &position{At: now.Add(time.Hour)}
	}
	return db.All(ctx, c, func(r db.Row) (s Session, err error) {
		var by string
		err = r.Scan(&s.ID, &s.DeviceType, &s.DeviceName, &s.OSName, &s.OSVersion, &s.BrowserName, &s.BrowserVersion,
			&s.IPAddress, &s.Country, &s.City, &s.CreatedAt, &s.LastActiveAt, &s.ExpiresAt, &by)
		if by != "" {
			s.Impersonator = &Impersonator{by}
		}
		return s, err
	}, `SELECT id, device_type, device_name, os_name, os_version, browser_name, browser_version, ip_address, country, city, created_at, last_active_at, expires_at, impersonator_name
		FROM sessions WHERE account_id = $1`+live+`AND (created_at < $4 OR created_at = $4 AND id < $5) ORDER BY created_at DESC, id DESC LIMIT $6`,
		account, now, now.Add(-idle), after.At, after.ID, n)
}

func statsOf(ctx context.Context, c db.Conn, account id.Account, now time.Time, idle time.Duration) (Stats, error) {
	return db.One(ctx, c, func(r db.Row) (s Stats, err error) {
		return s, r.Scan(&s.Active, &s.Devices, &s.Locations, &s.LastSignInAt)
	}, `SELECT count(*), count(DISTINCT device_type || '/' || os_name || '/' || browser_name), count(DISTINCT ip_address), max(created_at)
		FROM sessions WHERE account_id = $1 AND impersonator_id IS NULL`+live, account, now, now.Add(-idle))
}

func isLive(ctx context.Context, c db.Conn, account id.Account, session ID, now time.Time, idle time.Duration) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM sessions WHERE account_id = $1`+live+`AND id = $4`, account, now, now.Add(-idle), session)
	return n > 0, err
}

func exists(ctx context.Context, c db.Conn, account id.Account, session ID) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM sessions WHERE account_id = $1 AND id = $2`, account, session)
	return n > 0, err
}

// advance counts one refresh, if the token is the session's newest: of many at once, one does.
func advance(ctx context.Context, c db.Conn, r refreshToken, now time.Time, idle time.Duration) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE sessions SET refresh_counter = refresh_counter + 1, refreshed_at = $4, last_active_at = $4
		WHERE account_id = $1 AND id = $2 AND refresh_counter = $3 AND expires_at > $4 AND last_active_at > $5 AND cookie_hash IS NULL
			AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = $1 AND status = 'active')`,
		r.account, r.session, int64(r.counter), now, now.Add(-idle))
	return n == 1, err
}

type refreshedState struct {
	counter     uint64
	refreshedAt time.Time
}

func refreshState(ctx context.Context, c db.Conn, r refreshToken, now time.Time, idle time.Duration) (refreshedState, error) {
	return db.One(ctx, c, func(row db.Row) (s refreshedState, err error) { return s, row.Scan(&s.counter, &s.refreshedAt) },
		`SELECT refresh_counter, refreshed_at FROM sessions WHERE account_id = $1 AND id = $2 AND expires_at > $3 AND last_active_at > $4 AND cookie_hash IS NULL
			AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = $1 AND status = 'active')`,
		r.account, r.session, now, now.Add(-idle))
}

// endedRow is a session that was deleted.
type endedRow struct {
	account      id.Account
	id           ID
	impersonator id.Account // whose it was, if an administrator's who acted as the account
}

const returningEnded = ` RETURNING account_id, id, impersonator_id`

func scanEnded(r db.Row) (e endedRow, err error) {
	return e, r.Scan(&e.account, &e.id, &e.impersonator)
}

// deleteSession returns the session that it deleted, if it was there.
func deleteSession(ctx context.Context, c db.Conn, account id.Account, session ID) ([]endedRow, error) {
	return db.All(ctx, c, scanEnded, `DELETE FROM sessions WHERE account_id = $1 AND id = $2`+returningEnded, account, session)
}

func deleteOthers(ctx context.Context, c db.Conn, account id.Account, spare ID) ([]endedRow, error) {
	return db.All(ctx, c, scanEnded, `DELETE FROM sessions WHERE account_id = $1 AND id <> $2`+returningEnded, account, spareOrNone(spare))
}

// deleteOldest ends all sessions of an account but so many, the newest.
func deleteOldest(ctx context.Context, c db.Conn, account id.Account, keep int) ([]endedRow, error) {
	return db.All(ctx, c, scanEnded, `DELETE FROM sessions WHERE account_id = $1 AND id IN
		(SELECT id FROM sessions WHERE account_id = $1 AND impersonator_id IS NULL ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $2)`+returningEnded, account, keep)
}

// spareOrNone stands in for "none": NULL would compare with nothing.
func spareOrNone(spare ID) ID {
	if spare.IsZero() {
		return ID{0xff}
	}
	return spare
}

func replaceCookie(ctx context.Context, c db.Conn, account id.Account, session ID, hash []byte) (time.Time, error) {
	return db.One(ctx, c, db.Scalar[time.Time], `UPDATE sessions SET cookie_hash = $3 WHERE account_id = $1 AND id = $2 RETURNING expires_at`, account, session, hash)
}

func markAuthenticated(ctx context.Context, c db.Conn, account id.Account, session ID, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE sessions SET authenticated_at = $3 WHERE account_id = $1 AND id = $2`, account, session, now)
	return err
}

// touch takes the rows in one order: two nodes that write down activity of the same
// sessions do not wait for each other.
func touch(ctx context.Context, tx *db.Tx, uses []activity.Use[ID, seen]) error {
	slices.SortFunc(uses, func(a, b activity.Use[ID, seen]) int { return bytes.Compare(a.What[:], b.What[:]) })
	for _, u := range uses {
		if _, err := tx.Exec(ctx, `UPDATE sessions SET last_active_at = $3 WHERE account_id = $1 AND id = $2 AND last_active_at < $3`, u.Use.account, u.What, u.Use.at); err != nil {
			return err
		}
	}
	return nil
}

func deleteDead(ctx context.Context, c db.Conn, now time.Time, idle time.Duration) (int64, error) {
	return c.Exec(ctx, `DELETE FROM sessions WHERE impersonator_id IS NULL AND (expires_at < $1 OR last_active_at < $2)`, now, now.Add(-idle))
}
