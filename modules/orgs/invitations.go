package orgs

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/mail"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/secret"
)

// The outcomes about invitations.
var (
	ErrInvitationNotFound = errs.New(errs.NotFound, "orgs.invitation_not_found", "This organization has no such open invitation.")
	ErrInvitationInvalid  = errs.New(errs.NotFound, "orgs.invitation_invalid", "This invitation is not valid any more. Ask for a new one.")
	ErrInvitationVoid     = errs.New(errs.Conflict, "orgs.invitation_void", "Whoever invited you may no longer do so. Ask for a new invitation.")
	ErrAlreadyInvited     = errs.New(errs.Conflict, "orgs.already_invited", "This address is invited already. Send that invitation again, or revoke it first.")
	ErrEmailMismatch      = errs.New(errs.Forbidden, "orgs.email_mismatch", "This invitation is for another address. Sign in with the account that has it.")
	ErrEmailUnverified    = errs.New(errs.Forbidden, "orgs.email_unverified", "Confirm your e-mail address first, then accept the invitation.")
	ErrSignInToAccept     = errs.New(errs.Conflict, "orgs.sign_in_to_accept", "An account with this address exists. Sign in to accept the invitation.")
	ErrPasswordMissing    = errs.New(errs.Invalid, "orgs.password_required", "Choose a password for your new account, or sign in first.").On("body.password")
	ErrTooManyInvitations = errs.New(errs.TooMany, "orgs.too_many_invitations", "This organization has sent many invitations. Wait a little.")
)

type invitationKind struct{}

// Prefix begins the id of every invitation.
func (invitationKind) Prefix() string { return "inv" }

// InvitationID identifies an invitation. It is no secret, unlike its token.
type InvitationID = id.ID[invitationKind]

// Invitation asks the owner of an address to join an organization.
type Invitation struct {
	ID        InvitationID `json:"id"`
	Email     string       `json:"email" example:"grace@example.com"`
	Role      authz.Role   `json:"role" doc:"Key of the role that the invited will have" example:"member"`
	TeamIDs   []TeamID     `json:"team_ids" doc:"Teams that the invited will be in"`
	InvitedBy *id.Account  `json:"invited_by" doc:"Whose rights it stands on: it is void once they may not invite to this role"`
	ExpiresAt time.Time    `json:"expires_at"`
	CreatedAt time.Time    `json:"created_at"`
	SentAt    time.Time    `json:"sent_at" doc:"The last time"`
}

// NewInvitation is what an invitation is made of.
type NewInvitation struct {
	Email   string
	Role    authz.Role
	TeamIDs []TeamID
}

// Offer is what the holder of an invitation's token may know of it.
type Offer struct {
	Org       OfferingOrg `json:"org"`
	Email     string      `json:"email" doc:"The address that it is for"`
	Role      authz.Role  `json:"role"`
	ExpiresAt time.Time   `json:"expires_at"`
}

// OfferingOrg is what the invited may know of the organization.
type OfferingOrg struct {
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// Joined says what accepting an invitation has led to.
type Joined struct {
	OrgID id.Org     `json:"org_id"`
	Role  authz.Role `json:"role"`
}

const (
	invitationTerm = 7 * 24 * time.Hour
	tokenPurpose   = "inv"
	byToken        = "an invitation is found by its token"
)

// How many letters an organization may have sent, and one invited person may get.
func lettersPerOrg() ratelimit.Limit        { return ratelimit.Every(100, time.Hour) }
func lettersPerInvitation() ratelimit.Limit { return ratelimit.Every(10, time.Hour) }

func placeOfInvitation(i Invitation) place[invitationKind] {
	return place[invitationKind]{i.CreatedAt, i.ID}
}

// Invitations lists the invitations that nobody has accepted or revoked, newest first.
func (s *Service) Invitations(ctx context.Context, org id.Org, after *place[invitationKind], n int) ([]Invitation, error) {
	return openInvitations(ctx, s.DB.Org(org), org, after, n)
}

// Invite mails an invitation to an address.
func (s *Service) Invite(ctx context.Context, org id.Org, n NewInvitation) (Invitation, error) {
	email, err := accounts.NormalizeEmail(n.Email)
	if err != nil {
		return Invitation{}, err
	}
	if err := s.withinLimit(ctx, "orgs.invite:"+org.String(), lettersPerOrg()); err != nil {
		return Invitation{}, err
	}
	now := s.Now()
	inv := Invitation{ID: id.New[invitationKind](), Email: email, Role: n.Role, TeamIDs: distinct(n.TeamIDs), InvitedBy: inviter(ctx),
		ExpiresAt: now.Add(invitationTerm), CreatedAt: now, SentAt: now}
	err = s.change(ctx, org, PermInvite, func(h *held) error {
		if err := h.mayInvite(ctx, inv); err != nil {
			return err
		}
		pending, err := isInvited(ctx, h.tx, org, email, now)
		if err != nil {
			return err
		}
		if pending {
			return ErrAlreadyInvited
		}
		token, hash := secret.NewToken(tokenPurpose)
		if err := insertInvitation(ctx, h.tx, org, inv, hash); err != nil {
			return err
		}
		if err := h.mail(ctx, inv, token); err != nil {
			return err
		}
		return h.record(ctx, InvitationCreated{About{org}, inv.ID, inv.Role}, inv.target(), nil)
	})
	return inv, err
}

// Resend mails an invitation again, with a new link; the one before is void. Whoever
// sends it again is its inviter from now on.
func (s *Service) Resend(ctx context.Context, org id.Org, invitation InvitationID) (Invitation, error) {
	for key, limit := range map[string]ratelimit.Limit{"orgs.resend:" + invitation.String(): lettersPerInvitation(), "orgs.invite:" + org.String(): lettersPerOrg()} {
		if err := s.withinLimit(ctx, key, limit); err != nil {
			return Invitation{}, err
		}
	}
	var out Invitation
	err := s.change(ctx, org, PermInvite, func(h *held) error {
		inv, err := openInvitation(ctx, h.tx, org, invitation)
		if err != nil {
			return err
		}
		if inv.TeamIDs, err = knownTeams(ctx, h.tx, org, inv.TeamIDs); err != nil {
			return err
		}
		if err := h.mayInvite(ctx, inv); err != nil {
			return err
		}
		now := s.Now()
		inv.InvitedBy, inv.SentAt, inv.ExpiresAt = inviter(ctx), now, now.Add(invitationTerm)
		token, hash := secret.NewToken(tokenPurpose)
		if err := renewInvitation(ctx, h.tx, org, inv, hash); err != nil {
			return err
		}
		if err := h.mail(ctx, inv, token); err != nil {
			return err
		}
		if err := h.record(ctx, InvitationResent{About{org}, inv.ID}, inv.target(), nil); err != nil {
			return err
		}
		out = inv
		return nil
	})
	return out, err
}

// Revoke takes an invitation back.
func (s *Service) Revoke(ctx context.Context, org id.Org, invitation InvitationID) error {
	return s.change(ctx, org, PermInvite, func(h *held) error {
		inv, err := openInvitation(ctx, h.tx, org, invitation)
		if err != nil {
			return err
		}
		if err := h.mayGrant(ctx, inv.Role); err != nil && !errors.Is(err, ErrRoleUnknown) {
			return err
		}
		if err := revokeInvitation(ctx, h.tx, org, invitation, s.Now()); err != nil {
			return err
		}
		return h.record(ctx, InvitationRevoked{About{org}, inv.ID}, inv.target(), nil)
	})
}

// Preview shows the holder of a token what it invites to.
func (s *Service) Preview(ctx context.Context, token string) (Offer, error) {
	p, err := s.pending(ctx, token)
	return p.offer, err
}

// Accept makes the caller a member by the token that was mailed to their address.
func (s *Service) Accept(ctx context.Context, token string) (Joined, error) {
	p, err := s.pending(ctx, token)
	if err != nil {
		return Joined{}, err
	}
	var out Joined
	err = s.DB.Platform(byToken).Tx(ctx, func(tx *db.Tx) error {
		// Not from memory: the address may have changed on another node just now.
		account, err := s.Accounts.In(tx).Get(ctx, authz.From(ctx).Account)
		if err != nil {
			return err
		}
		switch {
		case !account.EmailVerified:
			return ErrEmailUnverified
		case account.Email != p.offer.Email:
			return ErrEmailMismatch
		}
		h, inv, err := s.In(tx).redeem(ctx, tx, p, secret.Hash(token))
		if err != nil {
			return err
		}
		if err := h.welcome(ctx, inv, account); err != nil {
			return err
		}
		out = Joined{p.org, inv.Role}
		return nil
	})
	return out, err
}

// AcceptAsNew makes an account, for the address that the token was mailed to, and
// makes it a member.
func (s *Service) AcceptAsNew(ctx context.Context, token, name, password string, cookie bool) (sessions.Opened, error) {
	p, err := s.pending(ctx, token)
	if err != nil {
		return sessions.Opened{}, err
	}
	if err := s.mustBeNew(ctx, p.offer.Email); err != nil {
		return sessions.Opened{}, err
	}
	if password == "" {
		return sessions.Opened{}, ErrPasswordMissing
	}
	if err := s.Accounts.MaySignUp(ctx, accounts.SignUp{Email: p.offer.Email, Name: name, Via: accounts.ViaInvitation}); err != nil {
		return sessions.Opened{}, err
	}
	prepared, err := s.Accounts.Prepare(ctx, accounts.NewAccount{Email: p.offer.Email, Name: name, Password: password, Locale: p.locale})
	if err != nil {
		return sessions.Opened{}, err
	}
	var out sessions.Opened
	err = s.DB.Platform(byToken).Tx(ctx, func(tx *db.Tx) error {
		h, inv, err := s.In(tx).redeem(ctx, tx, p, secret.Hash(token))
		if err != nil {
			return err
		}
		account, err := s.Accounts.In(tx).CreateVerified(ctx, prepared)
		if errors.Is(err, accounts.ErrEmailTaken) {
			return ErrSignInToAccept
		}
		if err != nil {
			return err
		}
		ctx := authz.With(ctx, &authz.Principal{Kind: authz.ActorAccount, Account: account.ID, Name: account.Name})
		if err := h.welcome(ctx, inv, account); err != nil {
			return err
		}
		out, err = s.Sessions.In(tx).Begin(ctx, account, sessions.Proof{Method: "invitation"}, cookie)
		return err
	})
	return out, err
}

// pendingInvitation is an invitation found by its token, which was good a moment ago.
type pendingInvitation struct {
	org    id.Org
	offer  Offer
	locale string // of the organization
}

func (s *Service) pending(ctx context.Context, token string) (pendingInvitation, error) {
	if !secret.IsToken(tokenPurpose, token) {
		return pendingInvitation{}, ErrInvitationInvalid
	}
	return invitationByToken(ctx, s.DB.Platform(byToken), secret.Hash(token), s.Now())
}

// mustBeNew refuses an address whose owner has proven it: they have a password of
// their own, and this token does not replace it.
func (s *Service) mustBeNew(ctx context.Context, email string) error {
	a, err := s.Accounts.ByEmail(ctx, email)
	switch {
	case errors.Is(err, accounts.ErrNotFound):
		return nil
	case err != nil:
		return err
	case a.EmailVerified:
		return ErrSignInToAccept
	}
	return nil
}

// redeem uses an invitation up: one conditional statement, so that of many at once one
// wins. What it grants is what it was stored with, as long as its inviter could still
// grant that. The service is bound to tx.
func (s *Service) redeem(ctx context.Context, tx *db.Tx, p pendingInvitation, hash []byte) (*held, Invitation, error) {
	org, err := lockOrg(ctx, tx, p.org)
	if err != nil {
		return nil, Invitation{}, err
	}
	if org.Status != Active {
		return nil, Invitation{}, ErrInvitationInvalid
	}
	inv, err := useInvitation(ctx, tx, p.org, hash, s.Now())
	if err != nil {
		return nil, inv, err
	}
	h := &held{s: s, tx: tx, org: org, caller: rights{all: true}}
	if inv.InvitedBy != nil {
		h.caller, err = s.memberRights(ctx, tx, p.org, *inv.InvitedBy)
	}
	if err == nil {
		err = h.mayStillInvite(ctx, inv.Role)
	}
	if errors.Is(err, ErrNotFound) {
		err = ErrInvitationVoid
	}
	return h, inv, err
}

// mayStillInvite asks of the inviter, who is the caller of h, what was asked when they invited.
func (h *held) mayStillInvite(ctx context.Context, role authz.Role) error {
	err := errors.Join(h.allow(PermInvite), h.mayGrant(ctx, role))
	if errors.Is(err, authz.ErrDenied) || errors.Is(err, ErrBeyondRights) || errors.Is(err, ErrRoleUnknown) {
		return ErrInvitationVoid
	}
	return err
}

// welcome makes the invited a member. Who is one already keeps the role they have, and
// the invitation stays as it was: no letter changes what a member may do.
func (h *held) welcome(ctx context.Context, inv Invitation, a accounts.Account) error {
	m := newMember(a, inv.Role, h.s.Now())
	accepted := InvitationAccepted{About: About{h.org.ID}, InvitationID: inv.ID, AccountID: a.ID, Role: inv.Role}
	if inv.InvitedBy != nil {
		accepted.InviterID = *inv.InvitedBy
	}
	if err := h.record(ctx, accepted, inv.target(), nil); err != nil {
		return err
	}
	if err := h.join(ctx, m); err != nil {
		return err
	}
	teams, err := knownTeams(ctx, h.tx, h.org.ID, inv.TeamIDs)
	if err != nil {
		return err
	}
	for _, team := range teams {
		if err := h.addToTeam(ctx, team, m, TeamMember); err != nil {
			return err
		}
	}
	return h.s.Accounts.In(h.tx).SetDefaultOrg(ctx, a.ID, h.org.ID)
}

// mayInvite checks all that an invitation needs to be sent.
func (h *held) mayInvite(ctx context.Context, inv Invitation) error {
	if err := h.mayGrant(ctx, inv.Role); err != nil {
		return err
	}
	teams, err := knownTeams(ctx, h.tx, h.org.ID, inv.TeamIDs)
	if err != nil {
		return err
	}
	if len(teams) < len(inv.TeamIDs) {
		return ErrTeamUnknown
	}
	member, err := hasMemberWithEmail(ctx, h.tx, h.org.ID, inv.Email)
	if err == nil && member {
		err = ErrAlreadyMember
	}
	return err
}

// mail writes the letter with the link, which is the only place where the token is.
func (h *held) mail(ctx context.Context, inv Invitation, token string) error {
	data := map[string]any{"Org": h.org.Name, "URL": h.s.PublicURL() + "/accept-invitation?token=" + url.QueryEscape(token), "Days": int(invitationTerm.Hours() / 24), "Inviter": ""}
	locale := h.org.Settings.Locale
	if who := authz.From(ctx); who.Kind == authz.ActorAccount {
		data["Inviter"] = who.Name
		if a, ok := who.Subject.(accounts.Account); ok && locale == "" {
			locale = a.Locale
		}
	}
	return h.s.Post.Enqueue(ctx, h.tx, mail.Letter{To: inv.Email, Name: "invitation", Locale: locale, Data: data})
}

func (s *Service) withinLimit(ctx context.Context, key string, limit ratelimit.Limit) error {
	if got := s.Limits.Allow(ctx, key, limit); !got.Allowed {
		return ErrTooManyInvitations.After(got.RetryAfter)
	}
	return nil
}

// inviter is the caller, where that is a person.
func inviter(ctx context.Context) *id.Account {
	who := authz.From(ctx)
	if who.Account.IsZero() {
		return nil
	}
	return &who.Account
}

func distinct(teams []TeamID) []TeamID {
	list := []TeamID{}
	for _, t := range teams {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}
