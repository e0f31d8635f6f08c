package orgs

import (
	"context"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
)

const teamColumns = `id, name, slug, created_at, updated_at`

func scanTeam(r db.Row) (t Team, err error) {
	return t, r.Scan(&t.ID, &t.Name, &t.Slug, &t.CreatedAt, &t.UpdatedAt)
}

func teamsOf(ctx context.Context, c db.Conn, org id.Org, after string, n int) ([]Team, error) {
	return db.All(ctx, c, scanTeam, `SELECT `+teamColumns+` FROM teams WHERE org_id = $1 AND slug > $2 ORDER BY slug LIMIT $3`, org, after, n)
}

func teamByID(ctx context.Context, c db.Conn, org id.Org, team TeamID) (Team, error) {
	t, err := db.One(ctx, c, scanTeam, `SELECT `+teamColumns+` FROM teams WHERE org_id = $1 AND id = $2`, org, team)
	return t, db.NoRows(err, ErrTeamNotFound)
}

// knownTeams returns those of teams that the organization has.
func knownTeams(ctx context.Context, c db.Conn, org id.Org, teams []TeamID) ([]TeamID, error) {
	known := []TeamID{}
	if len(teams) == 0 {
		return known, nil
	}
	all, err := db.All(ctx, c, db.Scalar[TeamID], `SELECT id FROM teams WHERE org_id = $1 ORDER BY slug`, org)
	for _, t := range all {
		if slices.Contains(teams, t) {
			known = append(known, t)
		}
	}
	return known, err
}

func insertTeam(ctx context.Context, c db.Conn, org id.Org, t Team) error {
	n, err := c.Exec(ctx, `INSERT INTO teams (org_id, `+teamColumns+`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org_id, slug) DO NOTHING`,
		org, t.ID, t.Name, t.Slug, t.CreatedAt, t.UpdatedAt)
	if err == nil && n == 0 {
		err = ErrTeamSlugTaken
	}
	return err
}

func updateTeam(ctx context.Context, c db.Conn, org id.Org, t Team) error {
	_, err := c.Exec(ctx, `UPDATE teams SET name = $3, slug = $4, updated_at = $5 WHERE org_id = $1 AND id = $2`, org, t.ID, t.Name, t.Slug, t.UpdatedAt)
	if db.IsDuplicate(err, "teams", "org_id", "slug") {
		return ErrTeamSlugTaken
	}
	return err
}

func deleteTeam(ctx context.Context, c db.Conn, org id.Org, team TeamID) error {
	if _, err := c.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND team_id = $2`, org, team); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `DELETE FROM teams WHERE org_id = $1 AND id = $2`, org, team)
	return err
}

func teammates(ctx context.Context, c db.Conn, org id.Org, team TeamID, after *place[id.AccountKind], n int) ([]Teammate, error) {
	if after == nil {
		after = &place[id.AccountKind]{At: beginning()}
	}
	return db.All(ctx, c, func(r db.Row) (m Teammate, err error) {
		return m, r.Scan(&m.AccountID, &m.Name, &m.Email, &m.Role, &m.JoinedAt)
	}, `
		SELECT t.account_id, m.name, m.email, t.role, t.joined_at
		FROM team_members t JOIN org_members m ON m.org_id = t.org_id AND m.account_id = t.account_id
		WHERE t.org_id = $1 AND t.team_id = $2 AND (t.joined_at > $3 OR t.joined_at = $3 AND t.account_id > $4)
		ORDER BY t.joined_at, t.account_id LIMIT $5`, org, team, after.At, after.ID, n)
}

// putTeammate reports whether that changed anything.
func putTeammate(ctx context.Context, c db.Conn, org id.Org, team TeamID, account id.Account, role TeamRole, now time.Time) (bool, error) {
	n, err := c.Exec(ctx, `INSERT INTO team_members (org_id, team_id, account_id, role, joined_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (org_id, team_id, account_id) DO UPDATE SET role = excluded.role WHERE team_members.role <> excluded.role`, org, team, account, string(role), now)
	return n == 1, err
}

func deleteTeammate(ctx context.Context, c db.Conn, org id.Org, team TeamID, account id.Account) error {
	n, err := c.Exec(ctx, `DELETE FROM team_members WHERE org_id = $1 AND team_id = $2 AND account_id = $3`, org, team, account)
	if err == nil && n == 0 {
		err = ErrNotInTeam
	}
	return err
}
