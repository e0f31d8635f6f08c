package sessions

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

func deleteImpersonation(ctx context.Context, c db.Conn, account id.Account, session ID) ([]endedRow, error) {
	return db.All(ctx, c, scanEnded, `DELETE FROM sessions WHERE account_id = $1 AND id = $2 AND impersonator_id IS NOT NULL`+returningEnded, account, session)
}

func deleteImpersonationsBy(ctx context.Context, c db.Conn, administrator id.Account) ([]endedRow, error) {
	return db.All(ctx, c, scanEnded, `DELETE FROM sessions WHERE impersonator_id = $1`+returningEnded, administrator)
}

// deleteImpersonationsLeft ends those that were begun in sessions which are no more.
func deleteImpersonationsLeft(ctx context.Context, c db.Conn, administrator id.Account) ([]endedRow, error) {
	return db.All(ctx, c, scanEnded, `DELETE FROM sessions AS s WHERE s.impersonator_id = $1
		AND NOT EXISTS (SELECT 1 FROM sessions b WHERE b.id = s.impersonator_session)`+returningEnded, administrator)
}

// deleteLostImpersonations removes those whose end was never noted.
func deleteLostImpersonations(ctx context.Context, c db.Conn, before time.Time) (int64, error) {
	return c.Exec(ctx, `DELETE FROM sessions WHERE impersonator_id IS NOT NULL AND expires_at < $1`, before)
}
