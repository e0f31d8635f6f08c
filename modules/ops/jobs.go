package ops

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/secret"
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

// Reseal encrypts with the current key what older keys encrypted, whatever module's.
type Reseal struct{}

// Kind names the job.
func (Reseal) Kind() string { return "ops.reseal" }

// Scope says whose rows the job works on.
func (Reseal) Scope() jobs.Scope { return jobs.OnPlatform(resealing) }

const resealing = "what an old key sealed, of everybody"

func (s *Service) reseal(ctx context.Context, c db.Conn, _ Reseal) error {
	var all []error
	more := false
	for _, column := range s.Sealed() {
		done, unreadable, err := s.Keys.Reseal(ctx, c, column)
		all = append(all, err)
		more = more || done >= secret.ResealAtOnce
		if done > 0 {
			s.Log.InfoContext(ctx, "sealed anew with the current key", "table", column.Table, "column", column.Name, "count", done)
		}
		if unreadable > 0 {
			s.Log.ErrorContext(ctx, "sealed values that no key opens in their row", "table", column.Table, "column", column.Name, "count", unreadable)
		}
	}
	if more {
		all = append(all, c.Tx(ctx, func(tx *db.Tx) error { return s.Jobs.Enqueue(ctx, tx, Reseal{}) }))
	}
	return errors.Join(all...)
}
