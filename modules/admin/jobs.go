package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep finds accounts whose grace is over.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "admin.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("a sweep over all accounts") }

// accountsPerSweep is how many accounts are purged in one period.
const accountsPerSweep = 1000

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	due, err := s.Accounts.Due(ctx, accountsPerSweep)
	if err != nil {
		return fmt.Errorf("find accounts to purge: %w", err)
	}
	return c.Tx(ctx, func(tx *db.Tx) error {
		for _, account := range due {
			if err := s.Jobs.Enqueue(ctx, tx, Purge{account}, jobs.Unique()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Purge removes one account for good, and what everything else says of its owner.
type Purge struct {
	AccountID id.Account `json:"account_id"`
}

// Kind names the job.
func (Purge) Kind() string { return "admin.purge" }

// Scope says whose rows the job works on.
func (Purge) Scope() jobs.Scope {
	return jobs.OnPlatform("erasure removes what is known of a person, wherever it stands")
}

// purge can be broken off at any point: the account's own row goes last, and as long as
// it is there the next sweep finds it.
func (s *Service) purge(ctx context.Context, c db.Conn, job Purge) error {
	a, due, err := s.Accounts.Bury(ctx, job.AccountID)
	if err != nil || !due {
		return err
	}
	person := db.Person{Account: a.ID, Email: a.Email}
	for _, m := range slices.Backward(s.Modules()) {
		if m.Erase == nil {
			continue
		}
		if err := m.Erase(ctx, c, person); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return db.Erase(ctx, c, s.Schemas(), person)
}
