package orgs

import (
	"context"
	"errors"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// ErrBeyondRights is the outcome of giving, changing or taking away more than one has.
var ErrBeyondRights = errs.New(errs.Forbidden, "orgs.beyond_own_rights", "This goes beyond your own rights in this organization.")

// rights are what someone may do in an organization, and so what they may give to
// others or take away from them.
type rights struct {
	role  authz.Role
	perms authz.Permissions
	all   bool // also what nobody has thought of: owners, and work that no person asked for
}

func (r rights) cover(p authz.Permissions) bool {
	if r.all {
		return true
	}
	for perm := range p {
		if !r.perms[perm] {
			return false
		}
	}
	return true
}

// only returns those of p that are listed.
func only(p authz.Permissions, listed ...authz.Permission) authz.Permissions {
	left := authz.Permissions{}
	for _, perm := range listed {
		if p[perm] {
			left[perm] = true
		}
	}
	return left
}

// callerRights looks up what the caller may do in org at this moment. A request with
// less than its caller's rights, such as that of a narrower key, stays within its own.
func (s *Service) callerRights(ctx context.Context, c db.Conn, org id.Org) (rights, error) {
	who := authz.From(ctx)
	switch {
	case who.Kind == authz.ActorJob || who.Kind == authz.ActorSystem:
		return rights{all: true}, nil
	case who.Account.IsZero(), who.Key != nil && who.Key.Org != org:
		return rights{}, ErrNotFound
	}
	r, err := s.memberRights(ctx, c, org, who.Account)
	if err != nil {
		return r, err
	}
	if who.Key != nil {
		// A scope is a permission that somebody thought of.
		r.all = false
		r.limit(who.Key.Scopes)
	}
	if m := authz.MembershipFrom(ctx); m.Org == org {
		r.limit(m.Perms)
	}
	return r, nil
}

// limit takes away what is not in most.
func (r *rights) limit(most authz.Permissions) {
	for perm := range r.perms {
		if !most[perm] {
			r.all = false
			delete(r.perms, perm)
		}
	}
}

// memberRights looks up what a member may do; a stranger is ErrNotFound.
func (s *Service) memberRights(ctx context.Context, c db.Conn, org id.Org, account id.Account) (rights, error) {
	row, err := membershipOf(ctx, c, org, account)
	if err != nil {
		return rights{}, err
	}
	return rights{role: row.role, perms: s.permissions(row.role, row.custom), all: row.role == authz.Owner}, nil
}

// rolePermissions returns what a role of the organization may do, or ErrRoleUnknown.
func (h *held) rolePermissions(ctx context.Context, role authz.Role) (authz.Permissions, error) {
	if isBuiltIn(role) {
		return h.s.Roles.Of(role), nil
	}
	r, err := roleByKey(ctx, h.tx, h.org.ID, role)
	if errors.Is(err, ErrRoleNotFound) {
		return nil, ErrRoleUnknown
	}
	return h.s.Roles.Known(r.Permissions), err
}

// mayGrant refuses a role that does not exist, or that goes beyond the caller's rights.
func (h *held) mayGrant(ctx context.Context, role authz.Role) error {
	perms, err := h.rolePermissions(ctx, role)
	if err != nil {
		return err
	}
	if !h.caller.cover(perms) {
		return ErrBeyondRights
	}
	return nil
}

// mayActOn refuses to touch a member who has more rights than the caller.
func (h *held) mayActOn(ctx context.Context, m Member) error {
	perms, err := h.rolePermissions(ctx, m.Role)
	if errors.Is(err, ErrRoleUnknown) {
		return nil // a role that is gone may do nothing
	}
	if err == nil && !h.caller.cover(perms) {
		err = ErrBeyondRights
	}
	return err
}

// keepOwner refuses to take the ownership of the last owner who can sign in. The organization's row is
// held, so of two owners who leave at once the second sees that the first has left.
func (h *held) keepOwner(ctx context.Context, m Member) error {
	if m.Role != authz.Owner {
		return nil
	}
	others, err := otherOwners(ctx, h.tx, h.org.ID, m.AccountID)
	if err == nil && others == 0 {
		err = ErrLastOwner
	}
	return err
}
