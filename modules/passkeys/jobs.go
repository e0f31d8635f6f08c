package passkeys

import (
	"context"
	"errors"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep removes challenges that have expired.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "passkeys.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("expired challenges of everybody") }

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	now := s.Now()
	_, challenges := deleteOldChallenges(ctx, c, now)
	_, signIns := deleteOldSignIns(ctx, c, now)
	return errors.Join(challenges, signIns)
}
