package notifications

import (
	"embed"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

var (
	//go:embed migrations
	migrations embed.FS
	//go:embed letters
	letters embed.FS
)

// Module describes notifications to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:       "notifications",
		Migrations: migrations,
		Mail:       letters,
		Tables: []db.Table{
			{Name: "notifications", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}, Refs: []db.Ref{
				{Column: "org_id", To: db.ToOrg, Life: db.Delete()},
			}},
			{Name: "notification_preferences", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"email"}},
			{Name: "announcements", Scope: db.ByPlatform, Life: db.Retain("the installation's own", 0), Others: []string{"id"}, Refs: []db.Ref{
				{Column: "created_by", To: db.ToAccount, Life: db.Anonymise()},
			}},
			{Name: "announcement_dismissals", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"announcement_id"}},
		},
		Routes: s.routes,
		Jobs: []jobs.Handler{
			jobs.On(s.deliver, jobs.Sealed()), jobs.On(s.digest), jobs.On(s.digestOf),
			jobs.On(s.sweep, jobs.Timeout(30*time.Minute)),
		},
		Periodic: []jobs.Periodic{
			{Cron: s.Config.cron(), Zone: "UTC", Job: Digest{}},
			{Every: 24 * time.Hour, Job: Sweep{}},
		},
		Subscribes: s.subscriptions(),
		Notices:    builtIn(),
	}
}
