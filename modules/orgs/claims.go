package orgs

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/identities"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

const byClaim = "a rule of the operator names an organization by its short name"

// onRolesClaimed makes somebody who signed in with a provider a member, or changes
// their role, as the operator's rules say. What cannot be done stays undone, and in
// the log: an organization that is gone, a role that is not there, its last owner.
func (s *Service) onRolesClaimed(ctx context.Context, _ db.Conn, e identities.RolesClaimed) error {
	for _, c := range e.Roles {
		err := s.giveClaimed(ctx, e.AccountID, c)
		if errs.KindOf(err) == errs.Internal && err != nil {
			return fmt.Errorf("give %s a role in %s: %w", e.AccountID, c.Org, err)
		}
		if err != nil {
			s.Log.WarnContext(ctx, "a rule about claims cannot be followed", "org", c.Org, "role", c.Role, "account_id", e.AccountID.String(), "err", err)
		}
	}
	return nil
}

func (s *Service) giveClaimed(ctx context.Context, account id.Account, c identities.ClaimedRole) error {
	return s.DB.Platform(byClaim).Tx(ctx, func(tx *db.Tx) error {
		org, err := orgBySlug(ctx, tx, c.Org)
		if err != nil {
			return err
		}
		a, err := s.Accounts.In(tx).Get(ctx, account)
		if err != nil {
			return err
		}
		if a.Status != accounts.Active {
			return accounts.ErrNotFound
		}
		h, err := s.In(tx).hold(ctx, tx, org)
		if err != nil {
			return err
		}
		if err := h.org.Status.refusal(); err != nil {
			return err
		}
		if err := h.mayGrant(ctx, c.Role); err != nil {
			return err
		}
		m, err := memberByID(ctx, tx, org, account)
		if err == nil {
			_, err = h.setRole(ctx, m, c.Role)
			return err
		}
		if !errors.Is(err, ErrMemberNotFound) {
			return err
		}
		if err := h.join(ctx, newMember(a, c.Role, s.Now())); err != nil {
			return err
		}
		return s.Accounts.In(tx).SetDefaultOrg(ctx, account, org)
	})
}
