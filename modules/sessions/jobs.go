package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep removes what has expired: sessions, challenges, sign-ins by mail, guesses, devices that nobody saw for long.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "sessions.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("expired sessions of everybody") }

// deviceTerm is how long a device is remembered that does not come back.
const deviceTerm = 400 * 24 * time.Hour

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	now := s.Now()
	_, err := deleteDead(ctx, c, now, s.Config.Idle)
	_, challenges := deleteOldChallenges(ctx, c, now)
	_, guesses := deleteOldGuesses(ctx, c, now.Add(-forgetGuesses))
	_, lost := deleteLostImpersonations(ctx, c, now.Add(-24*time.Hour))
	_, devices := deleteUnseenDevices(ctx, c, now.Add(-deviceTerm))
	_, mailed := deleteOldMailSignIns(ctx, c, now)
	return errors.Join(err, challenges, guesses, lost, devices, mailed)
}
