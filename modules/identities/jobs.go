package identities

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep removes flows that nobody came back from.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "identities.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("old flows of everybody") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	_, err := deleteOldFlows(ctx, c, s.Now().Add(-time.Hour))
	return err
}
