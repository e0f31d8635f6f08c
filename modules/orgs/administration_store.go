package orgs

import (
	"context"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const administeredColumns = `o.id, o.slug, o.name, o.description, o.status, o.purge_at, o.created_at, o.updated_at,
	(SELECT count(*) FROM org_members m WHERE m.org_id = o.id), (SELECT count(*) FROM org_members m WHERE m.org_id = o.id AND m.role = 'owner' AND m.active)`

func scanAdministered(r db.Row) (o Administered, err error) {
	var purgeAt time.Time
	if err := r.Scan(&o.ID, &o.Slug, &o.Name, &o.Description, &o.Status, &purgeAt, &o.CreatedAt, &o.UpdatedAt, &o.Members, &o.Owners); err != nil {
		return o, err
	}
	if !purgeAt.IsZero() {
		o.PurgeAt = &purgeAt
	}
	return o, nil
}

func administered(ctx context.Context, c db.Conn, org id.Org) (Administered, error) {
	o, err := db.One(ctx, c, scanAdministered, `SELECT `+administeredColumns+` FROM orgs o WHERE o.id = $1 AND o.status <> 'gone'`, org)
	return o, db.NoRows(err, ErrNotFound)
}

// listOrgs reads newest first. Names are compared in lower case; SQLite knows that of
// ASCII only.
func listOrgs(ctx context.Context, c db.Conn, f Filter, after *Place, n int) ([]Administered, error) {
	if after == nil {
		after = &Place{At: db.EndOfTime()}
	}
	wanted, _ := id.Parse[id.OrgKind](f.Text) // zero, which is none, where it is no id
	return db.All(ctx, c, scanAdministered, `SELECT `+administeredColumns+` FROM orgs o
		WHERE o.status <> 'gone' AND ($1 = '' OR o.status = $1) AND ($2 = '%%' OR o.id = $3 OR o.slug LIKE $2 ESCAPE '\' OR lower(o.name) LIKE $2 ESCAPE '\')
			AND (o.created_at < $4 OR o.created_at = $4 AND o.id < $5)
		ORDER BY o.created_at DESC, o.id DESC LIMIT $6`,
		string(f.Status), containing(f.Text), wanted, after.At, after.ID, n)
}

// containing is the pattern of whatever has text in it.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

func belongings(ctx context.Context, c db.Conn, account id.Account) ([]Belonging, error) {
	return db.All(ctx, c, func(r db.Row) (b Belonging, err error) {
		return b, r.Scan(&b.ID, &b.Slug, &b.Name, &b.Status, &b.Role, &b.active)
	}, `SELECT o.id, o.slug, o.name, o.status, m.role, m.active FROM org_members m JOIN orgs o ON o.id = m.org_id
		WHERE m.account_id = $1 AND o.status <> 'gone' ORDER BY o.id`, account)
}

func setActive(ctx context.Context, c db.Conn, account id.Account, active bool) error {
	_, err := c.Exec(ctx, `UPDATE org_members SET active = $2 WHERE account_id = $1 AND active <> $2`, account, active)
	return err
}
