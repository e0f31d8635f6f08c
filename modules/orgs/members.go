package orgs

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// The outcomes about members.
var (
	ErrMemberNotFound = errs.New(errs.NotFound, "orgs.member_not_found", "This organization has no such member.")
	ErrAlreadyMember  = errs.New(errs.Conflict, "orgs.already_member", "This person is a member already.")
	ErrLastOwner      = errs.New(errs.Conflict, "orgs.last_owner", "An organization keeps at least one owner. Make someone else an owner first.")
	ErrMemberStopped  = errs.New(errs.Conflict, "orgs.member_stopped", "This person's account is suspended or being deleted. Choose another member.")
	ErrTransferToSelf = errs.New(errs.Invalid, "orgs.transfer_to_self", "Choose another member.").On("body.account_id")
)

// Member is a person in an organization.
type Member struct {
	AccountID id.Account `json:"account_id"`
	Name      string     `json:"name" example:"Ada Lovelace"`
	Email     string     `json:"email" example:"ada@example.com"`
	Role      authz.Role `json:"role" doc:"Key of a role" example:"member"`
	JoinedAt  time.Time  `json:"joined_at"`

	active bool // their account is neither suspended nor being deleted
}

// place is where a page ends of a list that is ordered by time.
type place[K id.Kind] struct {
	At time.Time `json:"at"`
	ID id.ID[K]  `json:"id"`
}

func placeOfMember(m Member) place[id.AccountKind] {
	return place[id.AccountKind]{m.JoinedAt, m.AccountID}
}

func newMember(a accounts.Account, role authz.Role, now time.Time) Member {
	return Member{AccountID: a.ID, Name: a.Name, Email: a.Email, Role: role, JoinedAt: now, active: a.Status == accounts.Active}
}

// Members lists the members of an organization, in the order in which they joined.
func (s *Service) Members(ctx context.Context, org id.Org, after *place[id.AccountKind], n int) ([]Member, error) {
	return members(ctx, s.DB.Org(org), org, after, n)
}

// Member returns one member of an organization, or ErrMemberNotFound.
func (s *Service) Member(ctx context.Context, org id.Org, account id.Account) (Member, error) {
	return memberByID(ctx, s.DB.Org(org), org, account)
}

// Join makes an account a member without an invitation. It is for modules that know
// who belongs, such as a directory's.
func (s *Service) Join(ctx context.Context, org id.Org, account id.Account, role authz.Role) (Member, error) {
	a, err := s.Accounts.Get(ctx, account)
	if err != nil {
		return Member{}, err
	}
	m := newMember(a, role, s.Now())
	err = s.change(ctx, org, PermManageMembers, func(h *held) error {
		if err := h.mayGrant(ctx, role); err != nil {
			return err
		}
		return h.join(ctx, m)
	})
	return m, err
}

func (h *held) join(ctx context.Context, m Member) error {
	joined, err := insertMember(ctx, h.tx, h.org.ID, m)
	if err != nil {
		return err
	}
	if !joined {
		return ErrAlreadyMember
	}
	return h.record(ctx, MemberJoined{About{h.org.ID}, m.AccountID, m.Role}, m.target(), nil, MemberTag(m.AccountID))
}

// SetRole gives a member another role.
func (s *Service) SetRole(ctx context.Context, org id.Org, account id.Account, role authz.Role) (Member, error) {
	var out Member
	err := s.change(ctx, org, PermManageMembers, func(h *held) error {
		m, err := memberByID(ctx, h.tx, org, account)
		if err != nil {
			return err
		}
		if err := h.mayActOn(ctx, m); err != nil {
			return err
		}
		if err := h.mayGrant(ctx, role); err != nil {
			return err
		}
		if m, err = h.setRole(ctx, m, role); err != nil {
			return err
		}
		out = m
		return nil
	})
	return out, err
}

func (h *held) setRole(ctx context.Context, m Member, role authz.Role) (Member, error) {
	if m.Role == role {
		return m, nil
	}
	if err := h.keepOwner(ctx, m); err != nil {
		return m, err
	}
	if err := updateMemberRole(ctx, h.tx, h.org.ID, m.AccountID, role); err != nil {
		return m, err
	}
	event := MemberRoleChanged{About{h.org.ID}, m.AccountID, m.Role, role}
	m.Role = role
	return m, h.record(ctx, event, m.target(), map[string]audit.Change{"role": {From: event.From, To: event.To}}, MemberTag(m.AccountID))
}

// Remove ends someone's membership.
func (s *Service) Remove(ctx context.Context, org id.Org, account id.Account) error {
	return s.change(ctx, org, PermManageMembers, func(h *held) error {
		m, err := memberByID(ctx, h.tx, org, account)
		if err != nil {
			return err
		}
		if err := h.mayActOn(ctx, m); err != nil {
			return err
		}
		return h.part(ctx, m, MemberRemoved{About{org}, account})
	})
}

// Leave ends the caller's own membership.
func (s *Service) Leave(ctx context.Context, org id.Org) error {
	who := authz.From(ctx).Account
	return s.change(ctx, org, PermRead, func(h *held) error {
		m, err := memberByID(ctx, h.tx, org, who)
		if err != nil {
			return err
		}
		return h.part(ctx, m, MemberLeft{About{org}, who})
	})
}

// part ends a membership, and with it the places in teams.
func (h *held) part(ctx context.Context, m Member, event jobs.Args) error {
	if err := h.keepOwner(ctx, m); err != nil {
		return err
	}
	if err := deleteMember(ctx, h.tx, h.org.ID, m.AccountID); err != nil {
		return err
	}
	return h.record(ctx, event, m.target(), nil, MemberTag(m.AccountID))
}

// Transfer makes another member an owner, and the caller an admin.
func (s *Service) Transfer(ctx context.Context, org id.Org, to id.Account) (Org, error) {
	who := authz.From(ctx).Account
	if to == who {
		return Org{}, ErrTransferToSelf
	}
	var out Org
	err := s.change(ctx, org, PermTransfer, func(h *held) error {
		if err := h.mayGrant(ctx, authz.Owner); err != nil {
			return err
		}
		heir, err := memberByID(ctx, h.tx, org, to)
		if err != nil {
			return err
		}
		if !heir.active {
			return ErrMemberStopped
		}
		if err := updateMemberRole(ctx, h.tx, org, to, authz.Owner); err != nil {
			return err
		}
		if err := updateMemberRole(ctx, h.tx, org, who, authz.Admin); err != nil {
			return err
		}
		if err := h.record(ctx, OwnershipTransferred{About{org}, who, to}, heir.target(), nil, MemberTag(who), MemberTag(to)); err != nil {
			return err
		}
		out = h.org
		out.Role = authz.Admin
		return nil
	})
	return out, err
}
