package sessions

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

// insertMailSignIn reports whether it did: a flow has one letter.
func insertMailSignIn(ctx context.Context, c db.Conn, account id.Account, flow, link, code []byte, now, expires time.Time) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO session_mail_sign_ins (account_id, id, flow_hash, link_hash, code_hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (flow_hash) DO NOTHING`, account, id.New[mailSignInKind](), flow, link, code, now, expires)
	return n == 1, err
}

// voidMailSignIns uses up what was mailed in other flows.
func voidMailSignIns(ctx context.Context, c db.Conn, account id.Account, flow []byte, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE session_mail_sign_ins SET used_at = $3 WHERE account_id = $1 AND flow_hash <> $2 AND used_at IS NULL`, account, flow, now)
	return err
}

// useMagicLink uses a link up in its flow: of many at once, one finds it open.
func useMagicLink(ctx context.Context, c db.Conn, link, flow []byte, now time.Time) (id.Account, error) {
	return db.One(ctx, c, db.Scalar[id.Account], `UPDATE session_mail_sign_ins SET used_at = $3
		WHERE link_hash = $1 AND flow_hash = $2 AND used_at IS NULL AND expires_at > $3 RETURNING account_id`, link, flow, now)
}

// useMailCode is useMagicLink by the code.
func useMailCode(ctx context.Context, c db.Conn, flow, code []byte, now time.Time) (id.Account, error) {
	return db.One(ctx, c, db.Scalar[id.Account], `UPDATE session_mail_sign_ins SET used_at = $3
		WHERE flow_hash = $1 AND code_hash = $2 AND used_at IS NULL AND expires_at > $3 RETURNING account_id`, flow, code, now)
}

func isMagicLinkOpen(ctx context.Context, c db.Conn, link []byte, now time.Time) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM session_mail_sign_ins WHERE link_hash = $1 AND used_at IS NULL AND expires_at > $2`, link, now)
	return n > 0, err
}

func deleteOldMailSignIns(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM session_mail_sign_ins WHERE expires_at < $1`, before)
}
