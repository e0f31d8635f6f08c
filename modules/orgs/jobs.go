package orgs

import (
	"context"
	"fmt"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Sweep removes organizations whose grace is over, and invitations long expired.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "orgs.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("a sweep over all organizations") }

const (
	// keepInvitations is how long an expired invitation can still be sent again.
	keepInvitations = 30 * 24 * time.Hour
	orgsPerSweep    = 100
	rowsPerBatch    = 1000
)

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	if _, err := deleteOldInvitations(ctx, c, s.Now().Add(-keepInvitations)); err != nil {
		return fmt.Errorf("delete old invitations: %w", err)
	}
	due, err := dueOrgs(ctx, c, s.Now(), orgsPerSweep)
	if err != nil {
		return fmt.Errorf("find organizations to purge: %w", err)
	}
	for _, org := range due {
		if err := s.purge(ctx, c, org); err != nil {
			return fmt.Errorf("purge %s: %w", org.ID, err)
		}
	}
	return s.removeGone(ctx, c)
}

// purge ends an organization for good, and tells everyone who holds rows of it.
func (s *Service) purge(ctx context.Context, c db.Conn, org Org) error {
	return c.Tx(ctx, func(tx *db.Tx) error {
		buried, err := bury(ctx, tx, org.ID, s.Now())
		if err != nil || !buried {
			return err
		}
		if err := deleteSlug(ctx, tx, org.ID); err != nil {
			return err
		}
		if err := s.Changed.Invalidate(ctx, tx, Tag(org.ID)); err != nil {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: Purged{About{org.ID}}, Target: org.target()})
	})
}

// removeGone removes the rows of purged organizations, batch by batch. The row of the
// organization itself stays as long as another module refers to it.
func (s *Service) removeGone(ctx context.Context, c db.Conn) error {
	gone, err := goneOrgs(ctx, c, orgsPerSweep)
	if err != nil {
		return fmt.Errorf("find purged organizations: %w", err)
	}
	for _, org := range gone {
		if err := s.removeRows(ctx, c, org); err != nil {
			return fmt.Errorf("remove rows of %s: %w", org, err)
		}
	}
	return nil
}

func (s *Service) removeRows(ctx context.Context, c db.Conn, org id.Org) error {
	for {
		n, err := deleteRows(ctx, c, org, rowsPerBatch)
		if err != nil {
			return err
		}
		if n == 0 {
			return deleteOrg(ctx, c, org, s.Now())
		}
	}
}

func (s *Service) onAccountUpdated(ctx context.Context, _ db.Conn, e accounts.Updated) error {
	return s.refresh(ctx, e.AccountID)
}

func (s *Service) onEmailChanged(ctx context.Context, _ db.Conn, e accounts.EmailChanged) error {
	return s.refresh(ctx, e.AccountID)
}

// refresh copies a person's name and address to the lists of members that show them.
// It copies what is true now, so the order of events does not matter.
func (s *Service) refresh(ctx context.Context, account id.Account) error {
	a, err := s.Accounts.Get(ctx, account)
	if ok, err := found(err); err != nil || !ok {
		return err
	}
	return copyProfile(ctx, s.DB.Platform("a person's name stands in the list of members of every organization"), account, a.Name, a.Email)
}
