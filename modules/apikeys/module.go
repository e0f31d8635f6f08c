package apikeys

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

// Module describes API keys to the app.
func (s *Service) Module() module.Spec {
	admins := []authz.Role{authz.Owner, authz.Admin}
	return module.Spec{
		Name:       "apikeys",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "api_keys", Scope: db.ByOrg, Mine: "account_id", Life: db.Delete(), Others: []string{"id", "name"}, Refs: []db.Ref{
				{Column: "account_id", To: db.ToAccount, Life: db.Delete()},
				{Column: "last_used_ip", To: db.Personal, Life: db.Delete()},
			}},
		},
		Permissions: []authz.Grant{
			{Perm: PermList, Doc: "See the organization's API keys", To: admins},
			{Perm: PermManage, Doc: "Make API keys with rights of one's own, rename and revoke everybody's", To: admins},
		},
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
		Subscribes: []jobs.Subscription{
			jobs.Subscribe("apikeys", s.onMemberLeft), jobs.Subscribe("apikeys", s.onMemberRemoved), jobs.Subscribe("apikeys", s.onOrgPurged),
			jobs.Subscribe("apikeys", s.onPasswordChanged), jobs.Subscribe("apikeys", s.onEmailChanged),
		},
		Mail:       letters,
		Background: []module.Background{{Name: "apikeys.use", Run: s.used.Run}},
	}
}
