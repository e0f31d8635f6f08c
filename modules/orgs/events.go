package orgs

import (
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the organization that an event is about.
type About struct {
	OrgID id.Org `json:"org_id"`
}

// Scope says that the event belongs to the organization's log.
func (a About) Scope() jobs.Scope { return jobs.InOrg(a.OrgID) }

// Created says that there is a new organization; its first owner made it.
type Created struct {
	About
	OwnerID id.Account `json:"owner_id"`
}

// Updated says that name, slug, description or settings changed.
type Updated struct{ About }

// Deleted says that an organization is going to be purged at PurgeAt, and works no more.
type Deleted struct {
	About
	PurgeAt time.Time `json:"purge_at"`
}

// Restored says that a deleted organization works again.
type Restored struct{ About }

// Purged says that an organization is gone for good. Whoever holds rows of it removes them.
type Purged struct{ About }

// OwnershipTransferred says that an owner handed the organization over and stays as admin.
type OwnershipTransferred struct {
	About
	FromID id.Account `json:"from_id"`
	ToID   id.Account `json:"to_id"`
}

// MemberJoined says that an account belongs to an organization now.
type MemberJoined struct {
	About
	AccountID id.Account `json:"account_id"`
	Role      authz.Role `json:"role"`
}

// MemberLeft says that a member left by their own will.
type MemberLeft struct {
	About
	AccountID id.Account `json:"account_id"`
}

// MemberRemoved says that a member was removed by another.
type MemberRemoved struct {
	About
	AccountID id.Account `json:"account_id"`
}

// MemberRoleChanged says that a member has another role.
type MemberRoleChanged struct {
	About
	AccountID id.Account `json:"account_id"`
	From      authz.Role `json:"from"`
	To        authz.Role `json:"to"`
}

// RoleCreated says that an organization has a new role of its own.
type RoleCreated struct {
	About
	RoleID RoleID     `json:"role_id"`
	Key    authz.Role `json:"key"`
}

// RoleUpdated says that an organization's own role has another name or other permissions.
type RoleUpdated struct {
	About
	RoleID RoleID     `json:"role_id"`
	Key    authz.Role `json:"key"`
}

// RoleDeleted says that an organization's own role is gone.
type RoleDeleted struct {
	About
	RoleID RoleID     `json:"role_id"`
	Key    authz.Role `json:"key"`
}

// TeamCreated says that there is a new team.
type TeamCreated struct {
	About
	TeamID TeamID `json:"team_id"`
}

// TeamUpdated says that a team has another name or slug.
type TeamUpdated struct {
	About
	TeamID TeamID `json:"team_id"`
}

// TeamDeleted says that a team is gone.
type TeamDeleted struct {
	About
	TeamID TeamID `json:"team_id"`
}

// TeamMemberAdded says that a member belongs to a team now, or has another role in it.
type TeamMemberAdded struct {
	About
	TeamID    TeamID     `json:"team_id"`
	AccountID id.Account `json:"account_id"`
	Role      TeamRole   `json:"role"`
}

// TeamMemberRemoved says that a member no longer belongs to a team.
type TeamMemberRemoved struct {
	About
	TeamID    TeamID     `json:"team_id"`
	AccountID id.Account `json:"account_id"`
}

// InvitationCreated says that someone was invited by letter.
type InvitationCreated struct {
	About
	InvitationID InvitationID `json:"invitation_id"`
	Role         authz.Role   `json:"role"`
}

// InvitationResent says that a new letter voided the one before.
type InvitationResent struct {
	About
	InvitationID InvitationID `json:"invitation_id"`
}

// InvitationRevoked says that an invitation was taken back.
type InvitationRevoked struct {
	About
	InvitationID InvitationID `json:"invitation_id"`
}

// InvitationAccepted says that the invited person joined.
type InvitationAccepted struct {
	About
	InvitationID InvitationID `json:"invitation_id"`
	AccountID    id.Account   `json:"account_id"`
	Role         authz.Role   `json:"role"`
	InviterID    id.Account   `json:"inviter_id"` // none, once their account is gone
}

// Kind names the event.
func (Created) Kind() string { return "orgs.created" }

// Kind names the event.
func (Updated) Kind() string { return "orgs.updated" }

// Kind names the event.
func (Deleted) Kind() string { return "orgs.deleted" }

// Kind names the event.
func (Restored) Kind() string { return "orgs.restored" }

// Kind names the event.
func (Purged) Kind() string { return "orgs.purged" }

// Kind names the event.
func (OwnershipTransferred) Kind() string { return "orgs.ownership_transferred" }

// Kind names the event.
func (MemberJoined) Kind() string { return "orgs.member_joined" }

// Kind names the event.
func (MemberLeft) Kind() string { return "orgs.member_left" }

// Kind names the event.
func (MemberRemoved) Kind() string { return "orgs.member_removed" }

// Kind names the event.
func (MemberRoleChanged) Kind() string { return "orgs.member_role_changed" }

// Kind names the event.
func (RoleCreated) Kind() string { return "orgs.role_created" }

// Kind names the event.
func (RoleUpdated) Kind() string { return "orgs.role_updated" }

// Kind names the event.
func (RoleDeleted) Kind() string { return "orgs.role_deleted" }

// Kind names the event.
func (TeamCreated) Kind() string { return "orgs.team_created" }

// Kind names the event.
func (TeamUpdated) Kind() string { return "orgs.team_updated" }

// Kind names the event.
func (TeamDeleted) Kind() string { return "orgs.team_deleted" }

// Kind names the event.
func (TeamMemberAdded) Kind() string { return "orgs.team_member_added" }

// Kind names the event.
func (TeamMemberRemoved) Kind() string { return "orgs.team_member_removed" }

// Kind names the event.
func (InvitationCreated) Kind() string { return "orgs.invitation_created" }

// Kind names the event.
func (InvitationResent) Kind() string { return "orgs.invitation_resent" }

// Kind names the event.
func (InvitationRevoked) Kind() string { return "orgs.invitation_revoked" }

// Kind names the event.
func (InvitationAccepted) Kind() string { return "orgs.invitation_accepted" }

func (o Org) target() audit.Target {
	return audit.Target{Kind: "org", ID: o.ID.String(), Name: o.Name}
}

func (m Member) target() audit.Target {
	return audit.Target{Kind: "account", ID: m.AccountID.String(), Name: m.Name}
}

func (r Role) target() audit.Target {
	return audit.Target{Kind: "role", ID: r.ID.String(), Name: r.Name}
}

func (t Team) target() audit.Target {
	return audit.Target{Kind: "team", ID: t.ID.String(), Name: t.Name}
}

func (i Invitation) target() audit.Target {
	return audit.Target{Kind: "invitation", ID: i.ID.String(), Name: i.Email}
}
