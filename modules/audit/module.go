package audit

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

// Module describes the event log to the app.
func (s *Service) Module() module.Spec {
	const why = "the record of what happened outlives accounts, under ids that name no one"
	return module.Spec{
		Name:       "audit",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "events", Scope: db.ByEither, Life: db.Retain(why, 0), Others: []string{"id", "request_id"}, Refs: []db.Ref{
				{Column: "actor_id", To: db.ToAnyone, Life: db.Retain(why, 0)},
				{Column: "on_behalf_of", To: db.ToAccount, Life: db.Retain(why, 0)},
				{Column: "target_id", To: db.ToAnyone, Life: db.Retain(why, 0)},
			}},
			{Name: "event_details", Scope: db.ByEither, Life: db.Delete(), Others: []string{"event_id"}, Refs: []db.Ref{
				{Column: "actor_name", To: db.Personal, Life: db.Delete()},
				{Column: "target_name", To: db.Personal, Life: db.Delete()},
				{Column: "ip_address", To: db.Personal, Life: db.Delete()},
				{Column: "user_agent", To: db.Personal, Life: db.Delete()},
				{Column: "changes", To: db.Personal, Life: db.Delete()},
			}},
			{Name: "event_head", Scope: db.ByPlatform, Life: db.Retain("holds no personal data", 0)},
		},
		Permissions: []authz.Grant{
			{Perm: PermRead, Doc: "Read the event log", To: []authz.Role{authz.Owner, authz.Admin}},
		},
		Routes:     s.routes,
		Erase:      s.erase,
		Jobs:       []jobs.Handler{jobs.On(s.makePartitions)},
		Periodic:   []jobs.Periodic{{Every: 24 * time.Hour, Job: MakePartitions{}}},
		Background: []module.Background{{Name: "audit.sequencer", Run: s.sequence}},
	}
}
