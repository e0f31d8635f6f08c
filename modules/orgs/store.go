package orgs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const orgColumns = `id, slug, name, description, settings, status, purge_at, created_at, updated_at`

func scanOrg(r db.Row) (o Org, err error) {
	err = o.scan(r)
	return o, err
}

// scan reads orgColumns, and further columns into dest.
func (o *Org) scan(r db.Row, dest ...any) error {
	var settings json.RawMessage
	var purgeAt time.Time
	if err := r.Scan(append([]any{&o.ID, &o.Slug, &o.Name, &o.Description, &settings, &o.Status, &purgeAt, &o.CreatedAt, &o.UpdatedAt}, dest...)...); err != nil {
		return err
	}
	if !purgeAt.IsZero() {
		o.PurgeAt = &purgeAt
	}
	return fromJSON(settings, &o.Settings)
}

func fromJSON(column json.RawMessage, into any) error {
	if err := json.Unmarshal(column, into); err != nil {
		return fmt.Errorf("read a JSON column: %w", err)
	}
	return nil
}

func insertOrg(ctx context.Context, c db.Conn, o Org) error {
	_, err := c.Exec(ctx, `INSERT INTO orgs (id, slug, name, description, settings, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		o.ID, o.Slug, o.Name, o.Description, db.JSON(o.Settings), string(o.Status), o.CreatedAt, o.UpdatedAt)
	return err
}

func insertSlug(ctx context.Context, c db.Conn, slug string, org id.Org) error {
	_, err := c.Exec(ctx, `INSERT INTO org_slugs (slug, org_id) VALUES ($1, $2)`, slug, org)
	if db.IsDuplicate(err, "org_slugs", "slug") {
		return ErrSlugTaken
	}
	return err
}

func replaceSlug(ctx context.Context, c db.Conn, slug string, org id.Org) error {
	_, err := c.Exec(ctx, `UPDATE org_slugs SET slug = $1 WHERE org_id = $2`, slug, org)
	if db.IsDuplicate(err, "org_slugs", "slug") {
		return ErrSlugTaken
	}
	return err
}

func deleteSlug(ctx context.Context, c db.Conn, org id.Org) error {
	_, err := c.Exec(ctx, `DELETE FROM org_slugs WHERE org_id = $1`, org)
	return err
}

func orgByID(ctx context.Context, c db.Conn, org id.Org) (Org, error) {
	o, err := db.One(ctx, c, scanOrg, `SELECT `+orgColumns+` FROM orgs WHERE id = $1`, org)
	return o, db.NoRows(err, ErrNotFound)
}

func orgBySlug(ctx context.Context, c db.Conn, slug string) (id.Org, error) {
	org, err := db.One(ctx, c, db.Scalar[id.Org], `SELECT org_id FROM org_slugs WHERE slug = $1`, slug)
	return org, db.NoRows(err, ErrNotFound)
}

// lockOrg reads an organization and keeps others from doing so until the transaction
// ends: an UPDATE that changes nothing, which both databases take for a lock.
func lockOrg(ctx context.Context, tx *db.Tx, org id.Org) (Org, error) {
	o, err := db.One(ctx, tx, scanOrg, `UPDATE orgs SET updated_at = updated_at WHERE id = $1 RETURNING `+orgColumns, org)
	return o, db.NoRows(err, ErrNotFound)
}

func updateOrg(ctx context.Context, c db.Conn, o Org) error {
	_, err := c.Exec(ctx, `UPDATE orgs SET slug = $2, name = $3, description = $4, settings = $5, updated_at = $6 WHERE id = $1`,
		o.ID, o.Slug, o.Name, o.Description, db.JSON(o.Settings), o.UpdatedAt)
	return err
}

func setStatus(ctx context.Context, c db.Conn, org id.Org, status Status, purgeAt, now time.Time) error {
	_, err := c.Exec(ctx, `UPDATE orgs SET status = $2, purge_at = $3, updated_at = $4 WHERE id = $1`, org, string(status), purgeAt, now)
	return err
}

// orgsOf lists what an account belongs to, in one statement. What is being deleted
// only its owners see.
func orgsOf(ctx context.Context, c db.Conn, account id.Account, after *place[id.OrgKind], n int) ([]Org, error) {
	if after == nil {
		after = &place[id.OrgKind]{At: beginning()}
	}
	return db.All(ctx, c, func(r db.Row) (o Org, err error) {
		err = o.scan(r, &o.Role, &o.joinedAt)
		return o, err
	}, `
		SELECT o.id, o.slug, o.name, o.description, o.settings, o.status, o.purge_at, o.created_at, o.updated_at, m.role, m.joined_at
		FROM org_members m JOIN orgs o ON o.id = m.org_id
		WHERE m.account_id = $1 AND (o.status IN ('active', 'suspended') OR o.status = 'deleting' AND m.role = 'owner')
			AND (m.joined_at > $2 OR m.joined_at = $2 AND m.org_id > $3)
		ORDER BY m.joined_at, m.org_id LIMIT $4`, account, after.At, after.ID, n)
}

// beginning comes before every instant in the database.
func beginning() time.Time { return time.UnixMicro(1).UTC() }

// membership is what decides over someone's rights.
type membership struct {
	status   Status   // of the organization
	settings Settings // of the organization
	role     authz.Role
	custom   []authz.Permission // of a role of the organization's own
}

func membershipOf(ctx context.Context, c db.Conn, org id.Org, account id.Account) (membership, error) {
	m, err := db.One(ctx, c, func(r db.Row) (m membership, err error) {
		var settings, custom json.RawMessage
		if err := r.Scan(&m.status, &settings, &m.role, &custom); err != nil {
			return m, err
		}
		if err := fromJSON(settings, &m.settings); err != nil || len(custom) == 0 {
			return m, err
		}
		err = fromJSON(custom, &m.custom)
		return m, err
	}, `
		SELECT o.status, o.settings, m.role, r.permissions
		FROM org_members m JOIN orgs o ON o.id = m.org_id LEFT JOIN org_roles r ON r.org_id = m.org_id AND r.key = m.role
		WHERE m.org_id = $1 AND m.account_id = $2`, org, account)
	return m, db.NoRows(err, ErrNotFound)
}

// bury marks an organization as gone for good, if its time has come, and forgets what
// it was called.
func bury(ctx context.Context, c db.Conn, org id.Org, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `UPDATE orgs SET status = 'gone', purge_at = NULL, slug = '', name = '', description = '', settings = '{}', updated_at = $2
		WHERE id = $1 AND status = 'deleting' AND purge_at <= $2`, org, now)
	return n == 1, err
}

func dueOrgs(ctx context.Context, c db.Conn, now time.Time, n int) ([]Org, error) {
	return db.All(ctx, c, scanOrg, `SELECT `+orgColumns+` FROM orgs WHERE status = 'deleting' AND purge_at <= $1 ORDER BY purge_at LIMIT $2`, now, n)
}

func goneOrgs(ctx context.Context, c db.Conn, n int) ([]id.Org, error) {
	return db.All(ctx, c, db.Scalar[id.Org], `SELECT id FROM orgs WHERE status = 'gone' ORDER BY updated_at LIMIT $1`, n)
}

// deleteRows removes up to n rows of a purged organization, and reports how many
// there were; the tables follow their references.
func deleteRows(ctx context.Context, c db.Conn, org id.Org, n int) (int64, error) {
	for _, t := range [...]struct{ table, key string }{
		{"team_members", "account_id"}, {"teams", "id"}, {"org_invitations", "id"}, {"org_members", "account_id"}, {"org_roles", "id"},
	} {
		deleted, err := c.Exec(ctx, `DELETE FROM `+t.table+` WHERE org_id = $1 AND `+t.key+` IN (SELECT `+t.key+` FROM `+t.table+` WHERE org_id = $1 LIMIT $2)`, org, n)
		if err != nil || deleted > 0 {
			return deleted, err
		}
	}
	return 0, nil
}

// deleteOrg removes the last trace of an organization. While rows of another module
// refer to it, it waits behind all others.
func deleteOrg(ctx context.Context, c db.Conn, org id.Org, now time.Time) error {
	_, err := c.Exec(ctx, `DELETE FROM orgs WHERE id = $1 AND status = 'gone'`, org)
	if db.IsReferenced(err) {
		_, err = c.Exec(ctx, `UPDATE orgs SET updated_at = $2 WHERE id = $1`, org, now)
	}
	return err
}
