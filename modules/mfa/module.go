package mfa

import (
	"embed"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/secret"
)

//go:embed migrations
var migrations embed.FS

//go:embed letters
var letters embed.FS

// Module describes second factors to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:       "mfa",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "mfa_accounts", Scope: db.ByAccount, Life: db.Delete()},
			{Name: "mfa_devices", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}, Refs: []db.Ref{
				{Column: "name", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "mfa_backup_codes", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}},
		},
		Sealed:   []secret.Column{{Table: "mfa_devices", Name: "secret", Purpose: sealedAs, Key: []string{"account_id", "id"}}},
		Routes:   s.routes,
		Mail:     letters,
		Jobs:     []jobs.Handler{jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: 24 * time.Hour, Job: Sweep{}}},
	}
}
