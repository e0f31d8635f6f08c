package sessions

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

// Module describes sessions to the app.
func (s *Service) Module() module.Spec {
	personal := func(column string) db.Ref { return db.Ref{Column: column, To: db.Personal, Life: db.Delete()} }
	return module.Spec{
		Name:       "sessions",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "sessions", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id", "impersonator_session"}, Refs: []db.Ref{
				{Column: "impersonator_id", To: db.ToAccount, Life: db.Delete()}, personal("impersonator_name"),
				personal("device_name"), personal("os_name"), personal("browser_name"), personal("ip_address"), personal("country"), personal("city"),
			}},
			{Name: "session_challenges", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}},
			{Name: "session_devices", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}},
			{Name: "session_mail_sign_ins", Scope: db.ByAccount, Life: db.Delete(), Others: []string{"id"}},
			{Name: "session_guesses", Scope: db.ByPlatform, Life: db.Retain("counts by hashes, forgotten within a day", 0)},
		},
		Routes:     s.routes,
		Mail:       letters,
		Jobs:       []jobs.Handler{jobs.On(s.sweep), jobs.On(s.answerMailSignIn), jobs.On(s.endImpersonation), jobs.On(s.endLeftImpersonations)},
		Periodic:   []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
		Background: []module.Background{{Name: "sessions.activity", Run: s.active.Run}, {Name: "sessions.failures", Run: s.noteFailures}},
	}
}
