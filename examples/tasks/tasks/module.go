package tasks

import (
	"embed"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

//go:embed migrations
var migrations embed.FS

//go:embed letters
var letters embed.FS

//go:embed pages
var pages embed.FS

// Module describes tasks to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:       "tasks",
		Migrations: migrations,
		// Whose rows a table holds, and what becomes of personal data in it: the tasks of
		// an organization go with it; a person who is erased leaves theirs to the others.
		Tables: []db.Table{
			{Name: "tasks", Scope: db.ByOrg, Life: db.Delete(), Others: []string{"id"}, Refs: []db.Ref{
				{Column: "assignee_id", To: db.ToAccount, Life: db.Anonymise()},
				{Column: "welcomes_id", To: db.ToAccount, Life: db.Anonymise()},
			}},
		},
		Permissions: []authz.Grant{
			{Perm: PermRead, Doc: "See tasks", To: authz.BuiltIn()},
			{Perm: PermWrite, Doc: "Add, change, complete and delete tasks", To: []authz.Role{authz.Owner, authz.Admin, authz.Member}},
		},
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.tellAssignee), jobs.On(s.sweep)},
		Periodic: []jobs.Periodic{{Every: sweepEvery, Job: Sweep{}}},
		Subscribes: []jobs.Subscription{
			jobs.Subscribe("tasks", s.welcome),
			jobs.Subscribe("tasks", s.onMemberLeft),
			jobs.Subscribe("tasks", s.onMemberRemoved),
			jobs.Subscribe("tasks", s.onPurged),
		},
		Notices: []module.Notice{{Kind: "tasks.assigned", Title: "Tasks for you", Doc: "Somebody gives you a task."}},
		Mail:    letters,
		Pages:   pages,
	}
}
