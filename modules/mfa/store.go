package mfa

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const deviceColumns = `id, name, secret, created_at, last_used_at`

func scanDevice(r db.Row) (d Device, err error) {
	var used time.Time
	err = r.Scan(&d.ID, &d.Name, &d.secret, &d.CreatedAt, &used)
	if !used.IsZero() {
		d.LastUsedAt = &used
	}
	return d, err
}

func insertDevice(ctx context.Context, c db.Conn, account id.Account, d Device) error {
	_, err := c.Exec(ctx, `INSERT INTO mfa_devices (account_id, id, name, secret, created_at) VALUES ($1, $2, $3, $4, $5)`,
		account, d.ID, d.Name, d.secret, d.CreatedAt)
	return err
}

func countDevices(ctx context.Context, c db.Conn, account id.Account) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM mfa_devices WHERE account_id = $1`, account)
}

func enabledDevices(ctx context.Context, c db.Conn, account id.Account) ([]Device, error) {
	return db.All(ctx, c, scanDevice, `SELECT `+deviceColumns+` FROM mfa_devices WHERE account_id = $1 AND enabled_at IS NOT NULL ORDER BY created_at, id`, account)
}

// pendingDevices lists those that have yet to prove themselves, newest first.
func pendingDevices(ctx context.Context, c db.Conn, account id.Account, since time.Time) ([]Device, error) {
	return db.All(ctx, c, scanDevice, `SELECT `+deviceColumns+` FROM mfa_devices WHERE account_id = $1 AND enabled_at IS NULL AND created_at > $2 ORDER BY created_at DESC, id DESC`,
		account, since)
}

// markEnabled enables a device, and reports whether it is the account's first.
func markEnabled(ctx context.Context, c db.Conn, account id.Account, device DeviceID, now time.Time) (first bool, err error) {
	if _, err := c.Exec(ctx, `UPDATE mfa_devices SET enabled_at = $3, last_used_at = $3 WHERE account_id = $1 AND id = $2`, account, device, now); err != nil {
		return false, err
	}
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM mfa_devices WHERE account_id = $1 AND enabled_at IS NOT NULL`, account)
	return n == 1, err
}

// markUsed notes that a code of a device was accepted, unless it is gone meanwhile.
func markUsed(ctx context.Context, c db.Conn, account id.Account, device DeviceID, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE mfa_devices SET last_used_at = $3 WHERE account_id = $1 AND id = $2 AND enabled_at IS NOT NULL`, account, device, now)
	return n == 1, err
}

// deleteDevices removes a device, or all where none is named, and reports how many of
// them were enabled. It is db.ErrNoRows when the one that is named is not there.
func deleteDevices(ctx context.Context, c db.Conn, account id.Account, device DeviceID) (enabled int, err error) {
	query, args := `DELETE FROM mfa_devices WHERE account_id = $1 RETURNING enabled_at`, []any{account}
	if !device.IsZero() {
		query, args = `DELETE FROM mfa_devices WHERE account_id = $1 AND id = $2 RETURNING enabled_at`, []any{account, device}
	}
	times, err := db.All(ctx, c, db.Scalar[time.Time], query, args...)
	if err == nil && len(times) == 0 && !device.IsZero() {
		err = db.ErrNoRows
	}
	for _, at := range times {
		if !at.IsZero() {
			enabled++
		}
	}
	return enabled, err
}

func deletePending(ctx context.Context, c db.Conn, account id.Account, before time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM mfa_devices WHERE account_id = $1 AND enabled_at IS NULL AND created_at <= $2`, account, before)
	return err
}

func deleteAllPending(ctx context.Context, c db.Conn, before time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM mfa_devices WHERE enabled_at IS NULL AND created_at <= $1`, before)
	return err
}

// advanceStep uses up a time step: of many at once, one finds that it is later than the
// last one.
func advanceStep(ctx context.Context, c db.Conn, account id.Account, step int64, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO mfa_accounts (account_id, last_step, last_used_at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id) DO UPDATE SET last_step = excluded.last_step, last_used_at = excluded.last_used_at WHERE mfa_accounts.last_step < excluded.last_step`,
		account, step, now)
	return n == 1, err
}

// forgetSteps lets an app that is set up anew begin with the code that it shows now.
func forgetSteps(ctx context.Context, c db.Conn, account id.Account) error {
	_, err := c.Exec(ctx, `DELETE FROM mfa_accounts WHERE account_id = $1`, account)
	return err
}

func touch(ctx context.Context, c db.Conn, account id.Account, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE mfa_accounts SET last_used_at = $2 WHERE account_id = $1`, account, now)
	return err
}

// lastUsed is when a code of an account was last accepted; zero, if never.
func lastUsed(ctx context.Context, c db.Conn, account id.Account) (time.Time, error) {
	at, err := db.One(ctx, c, db.Scalar[time.Time], `SELECT last_used_at FROM mfa_accounts WHERE account_id = $1`, account)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return at, err
}

func insertBackupCode(ctx context.Context, c db.Conn, account id.Account, b backupCode, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO mfa_backup_codes (account_id, id, code_hash, created_at) VALUES ($1, $2, $3, $4)`, account, b.id, b.hash, now)
	return err
}

func unusedBackupCodes(ctx context.Context, c db.Conn, account id.Account) ([]backupCode, error) {
	return db.All(ctx, c, func(r db.Row) (b backupCode, err error) { return b, r.Scan(&b.id, &b.hash) },
		`SELECT id, code_hash FROM mfa_backup_codes WHERE account_id = $1 AND used_at IS NULL ORDER BY id`, account)
}

func countBackupCodes(ctx context.Context, c db.Conn, account id.Account) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM mfa_backup_codes WHERE account_id = $1 AND used_at IS NULL`, account)
}

// useBackupCode uses a code up: of many at once, one finds it unused.
func useBackupCode(ctx context.Context, c db.Conn, account id.Account, code backupCodeID, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE mfa_backup_codes SET used_at = $3 WHERE account_id = $1 AND id = $2 AND used_at IS NULL`, account, code, now)
	return n == 1, err
}

func deleteBackupCodes(ctx context.Context, c db.Conn, account id.Account) error {
	_, err := c.Exec(ctx, `DELETE FROM mfa_backup_codes WHERE account_id = $1`, account)
	return err
}
