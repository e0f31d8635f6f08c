package ops

import (
	"time"

	"github.com/tenonhq/tenon/module"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Module describes health and the API reference to the app.
func (s *Service) Module() module.Spec {
	return module.Spec{
		Name:     "ops",
		Routes:   s.routes,
		Jobs:     []jobs.Handler{jobs.On(s.sweep), jobs.On(s.reseal)},
		Periodic: []jobs.Periodic{{Every: time.Hour, Job: Sweep{}}, {Every: 24 * time.Hour, Job: Reseal{}}},
	}
}
