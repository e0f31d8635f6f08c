package accounts

import (
	"embed"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

//go:embed migrations
var migrations embed.FS

//go:embed letters
var letters embed.FS

// Module describes accounts to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:       "accounts",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "accounts", Scope: db.ByAccount, Key: "id", Life: db.Delete(), Refs: []db.Ref{
				{Column: "default_org_id", To: db.ToOrg, Life: db.Anonymise()},
				{Column: "email", To: db.Personal, Life: db.Delete()},
				{Column: "name", To: db.Personal, Life: db.Delete()},
				{Column: "avatar_url", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "account_emails", Scope: db.ByPlatform, Life: db.Delete(), Refs: []db.Ref{
				{Column: "account_id", To: db.ToAccount, Life: db.Delete()},
				{Column: "email", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "account_tokens", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}, Refs: []db.Ref{
				{Column: "email", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "account_passwords", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}},
			{Name: "account_waitlist", Scope: db.ByPlatform, Life: db.Delete(), Others: []string{"id"}, Refs: []db.Ref{
				{Column: "email", To: db.Personal, Life: db.Delete()},
				{Column: "name", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "setup", Scope: db.ByPlatform, Life: db.Retain("holds no personal data", 0)},
		},
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.answerEmail), jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: 24 * time.Hour, Job: Sweep{}}},
		Mail:     letters,
	}
}
