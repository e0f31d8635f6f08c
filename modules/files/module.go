package files

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

// Module describes files to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:       "files",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "files", Scope: db.ByOrg, Life: db.Delete(), Others: []string{"id", "name"}, Refs: []db.Ref{
				{Column: "account_id", To: db.ToAccount, Life: db.Anonymise()},
			}},
			{Name: "file_usage", Scope: db.ByOrg, Life: db.Delete()},
			{Name: "file_avatars", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}},
		},
		Permissions: []authz.Grant{
			{Perm: PermRead, Doc: "See and download the organization's files", To: authz.BuiltIn()},
			{Perm: PermUpload, Doc: "Upload files, and delete one's own", To: []authz.Role{authz.Owner, authz.Admin, authz.Member}},
			{Perm: PermManage, Doc: "Delete everybody's files", To: []authz.Role{authz.Owner, authz.Admin}},
		},
		Routes: s.routes,
		Jobs: []jobs.Handler{
			jobs.On(s.process, jobs.InQueue("pictures"), jobs.Workers(4), jobs.Timeout(5*time.Minute), jobs.Attempts(10)),
			jobs.On(s.remove), jobs.On(s.removeAvatar),
			jobs.On(s.sweep, jobs.Timeout(30*time.Minute)),
		},
		Periodic:   []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
		Subscribes: []jobs.Subscription{jobs.Subscribe("files", s.onOrgPurged), jobs.Subscribe("files", s.onAccountUpdated)},
		Erase:      s.erase,
	}
}
