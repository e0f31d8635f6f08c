package orgs

import (
	"embed"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

//go:embed migrations
var migrations embed.FS

//go:embed letters
var letters embed.FS

// Module describes organizations to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:        "orgs",
		Migrations:  migrations,
		Tables:      tables(),
		Permissions: permissions(),
		Routes:      s.routes,
		Jobs:        []jobs.Handler{jobs.On(s.sweep, jobs.Timeout(10*time.Minute))},
		Periodic:    []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
		Subscribes: []jobs.Subscription{jobs.Subscribe("orgs", s.onAccountUpdated), jobs.Subscribe("orgs", s.onEmailChanged),
			jobs.Subscribe("orgs", s.onRolesClaimed), jobs.Subscribe("orgs", s.onAccountSuspended), jobs.Subscribe("orgs", s.onAccountDeleted)},
		Mail: letters,
	}
}

func permissions() []authz.Grant {
	var (
		owners   = []authz.Role{authz.Owner}
		admins   = []authz.Role{authz.Owner, authz.Admin}
		everyone = authz.BuiltIn()
	)
	return []authz.Grant{
		{Perm: PermRead, Doc: "See the organization", To: everyone},
		{Perm: PermUpdate, Doc: "Change the organization's name, address and settings", To: admins},
		{Perm: PermDelete, Doc: "Delete and restore the organization", To: owners},
		{Perm: PermTransfer, Doc: "Hand the organization over to another member", To: owners},
		{Perm: PermListMembers, Doc: "See who belongs to the organization", To: everyone},
		{Perm: PermInvite, Doc: "Invite people, see and revoke invitations", To: admins},
		{Perm: PermManageMembers, Doc: "Change members' roles and remove members", To: admins},
		{Perm: PermManageRoles, Doc: "Make and change the organization's own roles", To: admins},
		{Perm: PermListTeams, Doc: "See teams and who is in them", To: everyone},
		{Perm: PermManageTeams, Doc: "Make and change teams, and who is in them", To: admins},
	}
}

func tables() []db.Table {
	return []db.Table{
		{Name: "orgs", Scope: db.ByOrg, Key: "id", Life: db.Delete(), Others: []string{"name"}},
		{Name: "org_slugs", Scope: db.ByPlatform, Life: db.Delete(), Refs: []db.Ref{
			{Column: "org_id", To: db.ToOrg, Life: db.Delete()},
		}},
		{Name: "org_members", Scope: db.ByOrg, Mine: "account_id", Life: db.Delete(), Refs: []db.Ref{
			{Column: "account_id", To: db.ToAccount, Life: db.Delete()},
			{Column: "name", To: db.Personal, Life: db.Delete()},
			{Column: "email", To: db.Personal, Life: db.Delete()},
		}},
		{Name: "org_roles", Scope: db.ByOrg, Life: db.Delete(), Others: []string{"id", "name"}},
		{Name: "teams", Scope: db.ByOrg, Life: db.Delete(), Others: []string{"id", "name"}},
		{Name: "team_members", Scope: db.ByOrg, Mine: "account_id", Life: db.Delete(), Others: []string{"team_id"}, Refs: []db.Ref{
			{Column: "account_id", To: db.ToAccount, Life: db.Delete()},
		}},
		{Name: "org_invitations", Scope: db.ByOrg, Life: db.Delete(), Others: []string{"id", "team_ids"}, Refs: []db.Ref{
			{Column: "email", To: db.Personal, Life: db.Delete()},
			{Column: "invited_by", To: db.ToAccount, Life: db.Anonymise()},
		}},
	}
}
