package files

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const columns = `org_id, id, account_id, name, content_type, size, sha256, status, variants, created_at, updated_at`

func scan(r db.Row) (f File, err error) {
	var account id.Account
	var sum []byte
	var variants json.RawMessage
	if err := r.Scan(&f.org, &f.ID, &account, &f.Name, &f.ContentType, &f.Size, &sum, &f.Status, &variants, &f.CreatedAt, &f.UpdatedAt); err != nil {
		return f, err
	}
	if !account.IsZero() {
		f.AccountID = &account
	}
	f.SHA256 = hex.EncodeToString(sum)
	if err := json.Unmarshal(variants, &f.Variants); err != nil {
		return f, fmt.Errorf("read the variants of a file: %w", err)
	}
	return f, nil
}

// insertFile writes a file; what is uploading is forgotten at expires.
func insertFile(ctx context.Context, c db.Conn, f File, sum []byte, expires time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO files (org_id, id, account_id, name, search, content_type, size, sha256, status, variants, expires_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)`,
		f.org, f.ID, *f.AccountID, f.Name, strings.ToLower(f.Name), f.ContentType, f.Size, sum, string(f.Status), db.JSON(f.Variants), expires, f.CreatedAt)
	return err
}

func fileByID(ctx context.Context, c db.Conn, org id.Org, file ID) (File, error) {
	f, err := db.One(ctx, c, scan, `SELECT `+columns+` FROM files WHERE org_id = $1 AND id = $2`, org, file)
	return f, db.NoRows(err, ErrNotFound)
}

// listFiles returns files whose name has a part like search, newest first.
func listFiles(ctx context.Context, c db.Conn, org id.Org, search string, after *place, n int) ([]File, error) {
	if after == nil {
		after = &place{At: db.EndOfTime()}
	}
	return db.All(ctx, c, scan, `SELECT `+columns+` FROM files
		WHERE org_id = $1 AND (created_at < $2 OR created_at = $2 AND id < $3) AND ($4 = '' OR search LIKE $4 ESCAPE '\')
		ORDER BY created_at DESC, id DESC LIMIT $5`, org, after.At, after.ID, pattern(search), n)
}

// pattern finds text anywhere, as it stands.
func pattern(text string) string {
	if text == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
}

// claim gives one caller the comparison of what arrived; one that broke off before
// abandoned is begun again.
func claim(ctx context.Context, c db.Conn, org id.Org, file ID, now, abandoned time.Time) (File, error) {
	f, err := db.One(ctx, c, scan, `UPDATE files SET status = 'verifying', updated_at = $3
		WHERE org_id = $1 AND id = $2 AND (status = 'uploading' OR status = 'verifying' AND updated_at < $4) RETURNING `+columns, org, file, now, abandoned)
	return f, db.NoRows(err, ErrCompleting)
}

// release lets whoever uploads try again.
func release(ctx context.Context, c db.Conn, f File) error {
	_, err := c.Exec(ctx, `UPDATE files SET status = 'uploading' WHERE org_id = $1 AND id = $2 AND status = 'verifying' AND updated_at = $3`, f.org, f.ID, f.UpdatedAt)
	return err
}

// arrived makes an announced file one that is there, if it is still as claimed.
func arrived(ctx context.Context, c db.Conn, f File, sum []byte, status Status, now time.Time) (File, error) {
	out, err := db.One(ctx, c, scan, `UPDATE files SET sha256 = $4, status = $5, expires_at = NULL, updated_at = $6
		WHERE org_id = $1 AND id = $2 AND status = 'verifying' AND updated_at = $3 RETURNING `+columns, f.org, f.ID, f.UpdatedAt, sum, string(status), now)
	return out, db.NoRows(err, ErrCompleting)
}

func setVariants(ctx context.Context, c db.Conn, f File, variants []Variant, now time.Time) (int64, error) {
	return c.Exec(ctx, `UPDATE files SET variants = $3, status = 'ready', updated_at = $4 WHERE org_id = $1 AND id = $2 AND status = 'processing'`,
		f.org, f.ID, db.JSON(variants), now)
}

func setMissing(ctx context.Context, c db.Conn, f File, now time.Time) (int64, error) {
	return c.Exec(ctx, `UPDATE files SET status = 'missing', updated_at = $3 WHERE org_id = $1 AND id = $2 AND status IN ('processing', 'ready')`, f.org, f.ID, now)
}

func deleteFile(ctx context.Context, c db.Conn, org id.Org, file ID) (File, error) {
	f, err := db.One(ctx, c, scan, `DELETE FROM files WHERE org_id = $1 AND id = $2 RETURNING `+columns, org, file)
	return f, db.NoRows(err, ErrNotFound)
}

func deleteFilesOf(ctx context.Context, c db.Conn, org id.Org) error {
	if _, err := c.Exec(ctx, `DELETE FROM files WHERE org_id = $1`, org); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `DELETE FROM file_usage WHERE org_id = $1`, org)
	return err
}

// expired lists files that were announced and never came.
func expired(ctx context.Context, c db.Conn, before time.Time, n int) ([]File, error) {
	return db.All(ctx, c, scan, `SELECT `+columns+` FROM files WHERE expires_at < $1 ORDER BY expires_at LIMIT $2`, before, n)
}

// filesAfter lists all files by key, from one on.
func filesAfter(ctx context.Context, c db.Conn, last File, n int) ([]File, error) {
	if last.ID.IsZero() {
		return db.All(ctx, c, scan, `SELECT `+columns+` FROM files ORDER BY org_id, id LIMIT $1`, n)
	}
	return db.All(ctx, c, scan, `SELECT `+columns+` FROM files WHERE org_id > $1 OR org_id = $1 AND id > $2 ORDER BY org_id, id LIMIT $3`, last.org, last.ID, n)
}

func usageOf(ctx context.Context, c db.Conn, org id.Org) (u Usage, err error) {
	u, err = db.One(ctx, c, func(r db.Row) (u Usage, err error) {
		err = r.Scan(&u.Bytes, &u.Files)
		return u, err
	}, `SELECT bytes, files FROM file_usage WHERE org_id = $1`, org)
	return u, db.NoRows(err, nil)
}

// charge counts a file, unless the organization's files would then take more than quota
// (less than 0: no limit): of many at once, those do that fit.
func charge(ctx context.Context, c db.Conn, org id.Org, size, quota int64) error {
	if quota < 0 {
		quota = math.MaxInt64
	}
	if size > quota {
		return ErrQuota
	}
	_, err := db.One(ctx, c, db.Scalar[int64], `INSERT INTO file_usage (org_id, bytes, files) VALUES ($1, $2, 1)
		ON CONFLICT (org_id) DO UPDATE SET bytes = file_usage.bytes + excluded.bytes, files = file_usage.files + 1
		WHERE file_usage.bytes + excluded.bytes <= $3 RETURNING bytes`, org, size, quota)
	return db.NoRows(err, ErrQuota)
}

func discharge(ctx context.Context, c db.Conn, org id.Org, size int64) error {
	_, err := c.Exec(ctx, `UPDATE file_usage SET bytes = bytes - $2, files = files - 1 WHERE org_id = $1`, org, size)
	return err
}

func avatarOf(ctx context.Context, c db.Conn, account id.Account) (AvatarID, error) {
	return db.One(ctx, c, db.Scalar[AvatarID], `SELECT id FROM file_avatars WHERE account_id = $1`, account)
}

// replaceAvatar makes avatar the portrait of an account.
func replaceAvatar(ctx context.Context, c db.Conn, account id.Account, avatar AvatarID, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO file_avatars (account_id, id, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id) DO UPDATE SET id = excluded.id, created_at = excluded.created_at`, account, avatar, now)
	return err
}

func deleteAvatar(ctx context.Context, c db.Conn, account id.Account) error {
	_, err := c.Exec(ctx, `DELETE FROM file_avatars WHERE account_id = $1`, account)
	return err
}

func avatarExists(ctx context.Context, c db.Conn, avatar AvatarID) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM file_avatars WHERE id = $1`, avatar)
	return n > 0, err
}
