package sessions

import (
	"context"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep removes sessions that have expired.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "sessions.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("expired sessions of everybody") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	_, err := deleteDead(ctx, c, s.Now(), s.Config.Idle)
	return err
}
