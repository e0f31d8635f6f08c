package orgs

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const roleColumns = `id, key, name, permissions, created_at, updated_at`

func scanRole(r db.Row) (role Role, err error) {
	var perms json.RawMessage
	role.ID, role.CreatedAt, role.UpdatedAt = new(RoleID), new(time.Time), new(time.Time)
	if err := r.Scan(role.ID, &role.Key, &role.Name, &perms, role.CreatedAt, role.UpdatedAt); err != nil {
		return role, err
	}
	err = fromJSON(perms, &role.Permissions)
	return role, err
}

func rolesOf(ctx context.Context, c db.Conn, org id.Org, after authz.Role, n int) ([]Role, error) {
	return db.All(ctx, c, scanRole, `SELECT `+roleColumns+` FROM org_roles WHERE org_id = $1 AND key > $2 ORDER BY key LIMIT $3`, org, string(after), n)
}

func roleByKey(ctx context.Context, c db.Conn, org id.Org, key authz.Role) (Role, error) {
	r, err := db.One(ctx, c, scanRole, `SELECT `+roleColumns+` FROM org_roles WHERE org_id = $1 AND key = $2`, org, string(key))
	return r, db.NoRows(err, ErrRoleNotFound)
}

func roleByID(ctx context.Context, c db.Conn, org id.Org, role RoleID) (Role, error) {
	r, err := db.One(ctx, c, scanRole, `SELECT `+roleColumns+` FROM org_roles WHERE org_id = $1 AND id = $2`, org, role)
	return r, db.NoRows(err, ErrRoleNotFound)
}

func countRoles(ctx context.Context, c db.Conn, org id.Org) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM org_roles WHERE org_id = $1`, org)
}

func insertRole(ctx context.Context, c db.Conn, org id.Org, r Role) error {
	n, err := c.Exec(ctx, `INSERT INTO org_roles (org_id, `+roleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, key) DO NOTHING`,
		org, *r.ID, string(r.Key), r.Name, db.JSON(r.Permissions), *r.CreatedAt, *r.UpdatedAt)
	if err == nil && n == 0 {
		err = ErrRoleTaken
	}
	return err
}

func updateRole(ctx context.Context, c db.Conn, org id.Org, r Role) error {
	_, err := c.Exec(ctx, `UPDATE org_roles SET name = $3, permissions = $4, updated_at = $5 WHERE org_id = $1 AND key = $2`,
		org, string(r.Key), r.Name, db.JSON(r.Permissions), *r.UpdatedAt)
	return err
}

func deleteRole(ctx context.Context, c db.Conn, org id.Org, key authz.Role) error {
	_, err := c.Exec(ctx, `DELETE FROM org_roles WHERE org_id = $1 AND key = $2`, org, string(key))
	return err
}

// roleInUse reports whether a member has a role, or someone invited would.
func roleInUse(ctx context.Context, c db.Conn, org id.Org, key authz.Role, now time.Time) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `
		SELECT count(*) FROM (
			SELECT 1 FROM org_members WHERE org_id = $1 AND role = $2
			UNION ALL
			SELECT 1 FROM org_invitations WHERE org_id = $1 AND role = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3
		) AS used`, org, string(key), now)
	return n > 0, err
}
