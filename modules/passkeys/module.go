package passkeys

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

// Module describes passkeys to the app.
func (s *Service) Module() module.Spec {
	name := []db.Ref{{Column: "name", To: db.Personal, Life: db.Delete()}}
	return module.Spec{
		Name:       "passkeys",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "passkeys", Scope: db.ByAccount, Life: db.Delete(), Refs: name, Others: []string{"id", "credential_id"}},
			{Name: "passkey_handles", Scope: db.ByAccount, Life: db.Delete()},
			{Name: "passkey_challenges", Scope: db.ByAccount, Life: db.Delete(), Refs: name, Others: []string{"id"}},
			{Name: "passkey_sign_ins", Scope: db.ByPlatform, Life: db.Retain("challenges that nobody has answered yet, gone within an hour", 0)},
		},
		Routes:   s.routes,
		Mail:     letters,
		Jobs:     []jobs.Handler{jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
	}
}
