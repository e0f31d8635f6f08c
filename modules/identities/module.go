package identities

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

// Module describes identities to the app.
func (s *Service) Module() module.Spec {
	personal := func(column string) db.Ref { return db.Ref{Column: column, To: db.Personal, Life: db.Delete()} }
	return module.Spec{
		Name:       "identities",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "identities", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}, Refs: []db.Ref{
				personal("subject"), personal("email"), personal("name"),
			}},
			{Name: "identity_subjects", Scope: db.ByPlatform, Life: db.Delete(), Others: []string{"identity_id"}, Refs: []db.Ref{
				personal("subject"), {Column: "account_id", To: db.ToAccount, Life: db.Delete()},
			}},
			{Name: "identity_flows", Scope: db.ByPlatform, Life: db.Delete(), Others: []string{"session_id"}, Refs: []db.Ref{
				{Column: "account_id", To: db.ToAccount, Life: db.Delete()},
			}},
		},
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
		Mail:     letters,
	}
}
