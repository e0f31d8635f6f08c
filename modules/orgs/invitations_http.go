package orgs

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) invitationRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "orgs.list_invitations", Method: http.MethodGet, Path: "/orgs/{org}/invitations",
		Summary: "List open invitations", Description: "Newest first, those that have expired too: they can be sent again. Tokens are in the letters only.",
		Access: authz.InOrg(PermInvite),
	}, s.handleListInvitations)

	web.Handle(r, web.Op{
		ID: "orgs.invite", Method: http.MethodPost, Path: "/orgs/{org}/invitations", Status: http.StatusCreated,
		Summary: "Invite someone by mail", Description: "The link works once, within seven days, for the owner of that address. It is void once its inviter may no longer grant the role.",
		Access: authz.InOrg(PermInvite),
		Errors: []*errs.Error{ErrBeyondRights, ErrRoleUnknown, ErrTeamUnknown, ErrAlreadyMember, ErrAlreadyInvited, ErrTooManyInvitations},
	}, s.handleInvite)

	web.Handle(r, web.Op{
		ID: "orgs.resend_invitation", Method: http.MethodPost, Path: "/orgs/{org}/invitations/{invitation}/resend", Status: http.StatusAccepted,
		Summary: "Send an invitation again", Description: "With a new link, good for another seven days; the one before is void. The caller is its inviter from now on.",
		Access: authz.InOrg(PermInvite),
		Errors: []*errs.Error{ErrInvitationNotFound, ErrBeyondRights, ErrAlreadyMember, ErrTooManyInvitations},
	}, s.handleResend)

	web.Handle(r, web.Op{
		ID: "orgs.revoke_invitation", Method: http.MethodDelete, Path: "/orgs/{org}/invitations/{invitation}", Status: http.StatusNoContent,
		Summary: "Take an invitation back",
		Access:  authz.InOrg(PermInvite),
		Errors:  []*errs.Error{ErrInvitationNotFound, ErrBeyondRights},
	}, s.handleRevoke)

	web.Handle(r, web.Op{
		ID: "orgs.preview_invitation", Method: http.MethodPost, Path: "/invitations/preview",
		Summary: "Show what an invitation is for",
		Access:  authz.PublicOrSignedIn(), WhileLooking: true, Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrInvitationInvalid},
	}, s.handlePreview)

	web.Handle(r, web.Op{
		ID: "orgs.accept_invitation", Method: http.MethodPost, Path: "/invitations/accept",
		Summary:     "Accept an invitation",
		Description: "Signed in with the account that has the invited address: `{token}`, answered with `{org_id, role}`.\n\nWithout an account: `{token, name, password}` makes one, and is answered with 201 and tokens, as by /auth/login.",
		Access:      authz.PublicOrSignedIn(), Limit: ratelimit.Every(60, time.Minute),
		Errors: []*errs.Error{ErrInvitationInvalid, ErrInvitationVoid, ErrEmailMismatch, ErrEmailUnverified, ErrSignInToAccept, ErrAlreadyMember},
	}, s.handleAccept)
}

// InvitationInput names an invitation in the path.
type InvitationInput struct {
	Invitation InvitationID `path:"invitation"`
}

type invitationInput struct {
	web.InOrg
	InvitationInput
}

type inviteInput struct {
	web.InOrg
	Body struct {
		Email   string     `json:"email" maxLength:"320" example:"grace@example.com"`
		Role    authz.Role `json:"role" doc:"Key of a role" example:"member"`
		TeamIDs []TeamID   `json:"team_ids,omitempty" maxItems:"50"`
	}
}

type previewInput struct {
	Body struct {
		Token string `json:"token" maxLength:"200" doc:"From the link in the mail"`
	}
}

type acceptInput struct {
	Body struct {
		Token    string `json:"token" maxLength:"200" doc:"From the link in the mail"`
		Name     string `json:"name,omitempty" doc:"Of the new account" example:"Grace Hopper"`
		Password string `json:"password,omitempty" doc:"Of the new account"`
		Cookie   bool   `json:"cookie,omitempty" doc:"Sign in a browser: answer the account, and set a cookie instead of handing out tokens"`
	}
}

type invitationOutput struct{ Body Invitation }

type offerOutput struct{ Body Offer }

type acceptOutput struct {
	Status    int
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		OrgID *id.Org    `json:"org_id,omitempty" doc:"To whom had an account"`
		Role  authz.Role `json:"role,omitempty" doc:"To whom had an account"`
		sessions.OutputBody
	}
}

func (s *Service) handleListInvitations(ctx context.Context, in *orgListInput) (*web.ListOutput[Invitation], error) {
	return web.Paged(ctx, in.Page, func(after *place[invitationKind], n int) ([]Invitation, error) {
		return s.Invitations(ctx, in.Org, after, n)
	}, placeOfInvitation)
}

func (s *Service) handleInvite(ctx context.Context, in *inviteInput) (*invitationOutput, error) {
	i, err := s.Invite(ctx, in.Org, NewInvitation{Email: in.Body.Email, Role: in.Body.Role, TeamIDs: in.Body.TeamIDs})
	return &invitationOutput{i}, err
}

func (s *Service) handleResend(ctx context.Context, in *invitationInput) (*invitationOutput, error) {
	i, err := s.Resend(ctx, in.Org, in.Invitation)
	return &invitationOutput{i}, err
}

func (s *Service) handleRevoke(ctx context.Context, in *invitationInput) (*web.Empty, error) {
	return nil, s.Revoke(ctx, in.Org, in.Invitation)
}

func (s *Service) handlePreview(ctx context.Context, in *previewInput) (*offerOutput, error) {
	o, err := s.Preview(ctx, in.Body.Token)
	return &offerOutput{o}, err
}

func (s *Service) handleAccept(ctx context.Context, in *acceptInput) (*acceptOutput, error) {
	out := &acceptOutput{Status: http.StatusOK}
	if !authz.From(ctx).Account.IsZero() {
		joined, err := s.Accept(ctx, in.Body.Token)
		out.Body.OrgID, out.Body.Role = &joined.OrgID, joined.Role
		return out, err
	}
	opened, err := s.AcceptAsNew(ctx, in.Body.Token, in.Body.Name, in.Body.Password, in.Body.Cookie)
	answer := sessions.Created(opened)
	out.Status, out.SetCookie, out.Body.OutputBody = answer.Status, answer.SetCookie, answer.Body
	return out, err
}
