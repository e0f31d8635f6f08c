package ops

import (
	"context"
	"fmt"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/web"
)

// Sweep removes what the platform no longer needs: answers kept for Idempotency-Key.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "ops.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("kept answers of all accounts") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	n, err := web.Sweep(ctx, c, s.Now())
	if err != nil {
		return fmt.Errorf("remove old answers: %w", err)
	}
	s.Log.DebugContext(ctx, "removed old answers", "count", n)
	return nil
}
