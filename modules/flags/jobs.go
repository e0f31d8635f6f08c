package flags

import (
	"context"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep forgets old counts.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "flags.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform(managing) }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	return sweepCounts(ctx, c, s.Now().Add(-keepCounts))
}
