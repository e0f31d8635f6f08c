package flags

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

// Module describes feature flags to the app.
func (s *Service) Module() module.Spec {
	installation := db.Retain("belongs to the installation; administrators delete it", 0)
	by := func(column string) db.Ref { return db.Ref{Column: column, To: db.ToAccount, Life: db.Anonymise()} }
	return module.Spec{
		Name:       "flags",
		Migrations: migrations,
		Tables: []db.Table{
			{Name: "flags", Scope: db.ByPlatform, Life: installation, Others: []string{"id"}, Refs: []db.Ref{by("created_by"), by("updated_by")}},
			{Name: "flag_head", Scope: db.ByPlatform, Life: installation},
			{Name: "flag_changes", Scope: db.ByPlatform, Life: installation, Others: []string{"flag_id", "id"}, Refs: []db.Ref{by("changed_by")}},
			{Name: "flag_counts", Scope: db.ByPlatform, Life: db.Retain("how often a flag is served; purged after 90 days", keepCounts), Others: []string{"flag_id"}},
		},
		Permissions: []authz.Grant{
			{Perm: PermEvaluate, Doc: "Let a program evaluate feature flags for people of the organization", To: []authz.Role{authz.Owner, authz.Admin}},
		},
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: 24 * time.Hour, Job: Sweep{}}},
		Background: []module.Background{
			{Name: "flags.snapshot", Run: s.follow},
			{Name: "flags.counts", Run: s.writeCounts},
		},
	}
}
