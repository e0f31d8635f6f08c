package orgs

import (
	"context"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const memberColumns = `account_id, name, email, role, joined_at, active`

func scanMember(r db.Row) (m Member, err error) {
	return m, r.Scan(&m.AccountID, &m.Name, &m.Email, &m.Role, &m.JoinedAt, &m.active)
}

// insertMember reports whether there was no such member.
func insertMember(ctx context.Context, c db.Conn, org id.Org, m Member) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO org_members (org_id, `+memberColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, account_id) DO NOTHING`,
		org, m.AccountID, m.Name, m.Email, string(m.Role), m.JoinedAt, m.active)
	return n == 1, err
}

func memberByID(ctx context.Context, c db.Conn, org id.Org, account id.Account) (Member, error) {
	m, err := db.One(ctx, c, scanMember, `SELECT `+memberColumns+` FROM org_members WHERE org_id = $1 AND account_id = $2`, org, account)
	return m, db.NoRows(err, ErrMemberNotFound)
}

func members(ctx context.Context, c db.Conn, org id.Org, after *place[id.AccountKind], n int) ([]Member, error) {
	if after == nil {
		after = &place[id.AccountKind]{At: beginning()}
	}
	return db.All(ctx, c, scanMember, `SELECT `+memberColumns+` FROM org_members
		WHERE org_id = $1 AND (joined_at > $2 OR joined_at = $2 AND account_id > $3) ORDER BY joined_at, account_id LIMIT $4`, org, after.At, after.ID, n)
}

func hasMemberWithEmail(ctx context.Context, c db.Conn, org id.Org, email string) (bool, error) {
	n, err := db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM org_members WHERE org_id = $1 AND email = $2`, org, email)
	return n > 0, err
}

// otherOwners counts the owners who can sign in, without one.
func otherOwners(ctx context.Context, c db.Conn, org id.Org, but id.Account) (int, error) {
	return db.One(ctx, c, db.Scalar[int], `SELECT count(*) FROM org_members WHERE org_id = $1 AND role = 'owner' AND active AND account_id <> $2`, org, but)
}

func updateMemberRole(ctx context.Context, c db.Conn, org id.Org, account id.Account, role authz.Role) error {
	_, err := c.Exec(ctx, `UPDATE org_members SET role = $3 WHERE org_id = $1 AND account_id = $2`, org, account, string(role))
	return err
}

func deleteMember(ctx context.Context, c db.Conn, org id.Org, account id.Account) error {
	if _, err := c.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND account_id = $2`, org, account); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `DELETE FROM org_members WHERE org_id = $1 AND account_id = $2`, org, account)
	return err
}

// copyProfile refreshes what members' lists show of an account, in every organization.
func copyProfile(ctx context.Context, c db.Conn, account id.Account, name, email string) error {
	_, err := c.Exec(ctx, `UPDATE org_members SET name = $2, email = $3 WHERE account_id = $1`, account, name, email)
	return err
}
