package admin

import (
	"embed"
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/jobs"
)

//go:embed letters
var letters embed.FS

// Module describes administration to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:     "admin",
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.sweep), jobs.On(s.purge, jobs.Timeout(10*time.Minute), jobs.InQueue("purge"), jobs.Workers(2))},
		Periodic: []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}},
		Mail:     letters,
	}
}
