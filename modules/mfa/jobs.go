package mfa

import (
	"context"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep removes devices that waited too long for their first code.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "mfa.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope {
	return jobs.OnPlatform("devices of everybody that were never enabled")
}

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	return deleteAllPending(ctx, c, s.Now().Add(-pendingLife))
}
