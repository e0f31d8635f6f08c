package notifications

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const columns = `id, org_id, kind, level, title, message, action_label, action_url, read_at, created_at`

func scan(r db.Row) (n Notification, err error) {
	var org id.Org
	var a Action
	if err := r.Scan(&n.ID, &org, &n.Kind, &n.Level, &n.Title, &n.Message, &a.Label, &a.URL, &n.ReadAt, &n.CreatedAt); err != nil {
		return n, err
	}
	if !org.IsZero() {
		n.OrgID = &org
	}
	n.Action = actionOf(a)
	return n, nil
}

func actionOf(a Action) *Action {
	if a.URL == "" {
		return nil
	}
	return &a
}

// parts are the columns of an action.
func (a *Action) parts() Action {
	if a == nil {
		return Action{}
	}
	return *a
}

// insertNotification keeps a message, and reports whether it was not there yet.
func insertNotification(ctx context.Context, c db.Conn, d Deliver, inApp, digest bool) (bool, error) {
	action := d.Action.parts()
	n, err := c.Exec(ctx, `INSERT INTO notifications (account_id, id, org_id, kind, level, title, message, action_label, action_url, in_app, digest, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (account_id, id) DO NOTHING`,
		d.AccountID, d.ID, d.OrgID, d.Of, string(d.Level), d.Title, d.Message, action.Label, action.URL, inApp, digest, d.At)
	return n == 1, err
}

func listNotifications(ctx context.Context, c db.Conn, account id.Account, f Filter, after *place, n int) ([]Notification, error) {
	if after == nil {
		after = &place{At: db.EndOfTime()}
	}
	unread := ``
	if f.Unread {
		unread = ` AND read_at IS NULL`
	}
	return db.All(ctx, c, scan, `SELECT `+columns+` FROM notifications WHERE account_id = $1 AND in_app`+unread+` AND ($2 = '' OR kind = $2)
		AND (created_at < $3 OR created_at = $3 AND id < $4) ORDER BY created_at DESC, id DESC LIMIT $5`, account, f.Kind, after.At, after.ID, n)
}

func countUnread(ctx context.Context, c db.Conn, account id.Account) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM notifications WHERE account_id = $1 AND in_app AND read_at IS NULL`, account)
}

// markNotification writes when a notification was read; what was read already keeps its time.
func markNotification(ctx context.Context, c db.Conn, account id.Account, n ID, at time.Time) (Notification, error) {
	set := `read_at = coalesce(read_at, $3)`
	if at.IsZero() {
		set = `read_at = $3`
	}
	found, err := db.One(ctx, c, scan, `UPDATE notifications SET `+set+` WHERE account_id = $1 AND id = $2 AND in_app RETURNING `+columns, account, n, at)
	return found, db.NoRows(err, ErrNotFound)
}

func markAll(ctx context.Context, c db.Conn, account id.Account, until, at time.Time) (int64, error) {
	return c.Exec(ctx, `UPDATE notifications SET read_at = $3 WHERE account_id = $1 AND in_app AND read_at IS NULL AND created_at <= $2`, account, until, at)
}

func notificationExists(ctx context.Context, c db.Conn, account id.Account, n ID) (bool, error) {
	found, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM notifications WHERE account_id = $1 AND id = $2 AND in_app`, account, n)
	return found > 0, err
}

func deleteNotification(ctx context.Context, c db.Conn, account id.Account, n ID) error {
	gone, err := c.Exec(ctx, `DELETE FROM notifications WHERE account_id = $1 AND id = $2 AND in_app`, account, n)
	if err == nil && gone == 0 {
		return ErrNotFound
	}
	return err
}

// withDigest returns accounts after one of them that have messages for a daily letter.
func withDigest(ctx context.Context, c db.Conn, after id.Account, n int) ([]id.Account, error) {
	if after.IsZero() {
		after[len(after)-1] = 1 // before every account; zero is stored as none
	}
	return db.All(ctx, c, db.Scalar[id.Account], `SELECT DISTINCT account_id FROM notifications WHERE digest AND account_id > $1 ORDER BY account_id LIMIT $2`, after, n)
}

// takeDigest takes the messages for a daily letter, newest first; nobody takes them again.
func takeDigest(ctx context.Context, c db.Conn, account id.Account) ([]Notification, error) {
	all, err := db.All(ctx, c, scan, `UPDATE notifications SET digest = $2 WHERE account_id = $1 AND digest RETURNING `+columns, account, false)
	slices.SortFunc(all, func(a, b Notification) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all, err
}

func deleteOld(ctx context.Context, c db.Conn, read, whatever time.Time, n int) (int64, error) {
	return c.Exec(ctx, `DELETE FROM notifications WHERE (account_id, id) IN (SELECT account_id, id FROM notifications
		WHERE created_at < $2 OR created_at < $1 AND (read_at IS NOT NULL OR NOT in_app) LIMIT $3)`, read, whatever, n)
}

// fuller returns the accounts with more than most notifications.
func fuller(ctx context.Context, c db.Conn, most int) ([]id.Account, error) {
	return db.All(ctx, c, db.Scalar[id.Account], `SELECT account_id FROM notifications GROUP BY account_id HAVING count(*) > $1`, most)
}

// deleteBeyond keeps the newest of somebody's notifications.
func deleteBeyond(ctx context.Context, c db.Conn, account id.Account, most int) error {
	_, err := c.Exec(ctx, `DELETE FROM notifications WHERE account_id = $1 AND id NOT IN (SELECT id FROM notifications
		WHERE account_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2)`, account, most)
	return err
}

func deleteOfOrg(ctx context.Context, c db.Conn, org id.Org, n int) (int64, error) {
	return c.Exec(ctx, `DELETE FROM notifications WHERE (account_id, id) IN (SELECT account_id, id FROM notifications WHERE org_id = $1 LIMIT $2)`, org, n)
}

// choices are what an account prefers, by kind.
func choices(ctx context.Context, c db.Conn, account id.Account) (map[string]choice, error) {
	all := map[string]choice{}
	err := db.Each(ctx, c, func(r db.Row) error {
		var kind string
		var one choice
		err := r.Scan(&kind, &one.inApp, &one.email)
		all[kind] = one
		return err
	}, `SELECT kind, in_app, email FROM notification_preferences WHERE account_id = $1`, account)
	return all, err
}

func choose(ctx context.Context, c db.Conn, account id.Account, kind string, one choice, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO notification_preferences (account_id, kind, in_app, email, updated_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account_id, kind) DO UPDATE SET in_app = excluded.in_app, email = excluded.email, updated_at = excluded.updated_at`,
		account, kind, one.inApp, string(one.email), now)
	return err
}

const announcementColumns = `id, level, title, message, action, dismissible, starts_at, ends_at, created_at, updated_at`

func scanAnnouncement(r db.Row) (a Announcement, err error) {
	var action json.RawMessage
	if err := r.Scan(&a.ID, &a.Level, &a.Title, &a.Message, &action, &a.Dismissible, &a.StartsAt, &a.EndsAt, &a.CreatedAt, &a.UpdatedAt); err != nil {
		return a, err
	}
	if err := json.Unmarshal(action, &a.Action); err != nil {
		return a, fmt.Errorf("read the action of an announcement: %w", err)
	}
	return a, nil
}

func activeAnnouncements(ctx context.Context, c db.Conn, account id.Account, now time.Time) ([]Announcement, error) {
	return db.All(ctx, c, scanAnnouncement, `SELECT `+announcementColumns+` FROM announcements a WHERE starts_at <= $2 AND (ends_at IS NULL OR ends_at > $2)
		AND (NOT dismissible OR NOT EXISTS (SELECT 1 FROM announcement_dismissals d WHERE d.account_id = $1 AND d.announcement_id = a.id))
		ORDER BY starts_at DESC, id DESC LIMIT 10`, account, now)
}

func listAnnouncements(ctx context.Context, c db.Conn, after *announcementPlace, n int) ([]Announcement, error) {
	if after == nil {
		after = &announcementPlace{At: db.EndOfTime()}
	}
	return db.All(ctx, c, scanAnnouncement, `SELECT `+announcementColumns+` FROM announcements
		WHERE created_at < $1 OR created_at = $1 AND id < $2 ORDER BY created_at DESC, id DESC LIMIT $3`, after.At, after.ID, n)
}

func announcementByID(ctx context.Context, c db.Conn, a AnnouncementID) (Announcement, error) {
	found, err := db.One(ctx, c, scanAnnouncement, `SELECT `+announcementColumns+` FROM announcements WHERE id = $1`, a)
	return found, db.NoRows(err, ErrAnnouncementNotFound)
}

// holdAnnouncement returns an announcement that nobody else changes meanwhile.
func holdAnnouncement(ctx context.Context, tx *db.Tx, a AnnouncementID) (Announcement, error) {
	if _, err := tx.Exec(ctx, `UPDATE announcements SET updated_at = updated_at WHERE id = $1`, a); err != nil {
		return Announcement{}, err
	}
	return announcementByID(ctx, tx, a)
}

func insertAnnouncement(ctx context.Context, c db.Conn, a Announcement) error {
	_, err := c.Exec(ctx, `INSERT INTO announcements (`+announcementColumns+`, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		a.ID, string(a.Level), a.Title, a.Message, db.JSON(a.Action), a.Dismissible, a.StartsAt, a.EndsAt, a.CreatedAt, a.UpdatedAt, a.by)
	return err
}

func updateAnnouncement(ctx context.Context, c db.Conn, a Announcement) error {
	_, err := c.Exec(ctx, `UPDATE announcements SET level = $2, title = $3, message = $4, action = $5, dismissible = $6, starts_at = $7, ends_at = $8, updated_at = $9 WHERE id = $1`,
		a.ID, string(a.Level), a.Title, a.Message, db.JSON(a.Action), a.Dismissible, a.StartsAt, a.EndsAt, a.UpdatedAt)
	return err
}

// deleteAnnouncement removes an announcement, and who has put it away.
func deleteAnnouncement(ctx context.Context, c db.Conn, a AnnouncementID) error {
	if _, err := c.Exec(ctx, `DELETE FROM announcement_dismissals WHERE announcement_id = $1`, a); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `DELETE FROM announcements WHERE id = $1`, a)
	return err
}

func insertDismissal(ctx context.Context, c db.Conn, account id.Account, a AnnouncementID, now time.Time) error {
	_, err := c.Exec(ctx, `INSERT INTO announcement_dismissals (account_id, announcement_id, dismissed_at) VALUES ($1, $2, $3)
		ON CONFLICT (account_id, announcement_id) DO NOTHING`, account, a, now)
	return err
}
