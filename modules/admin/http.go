package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/mfa"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	s.pathIDs(r)
	s.readRoutes(r)
	s.stopRoutes(r)
	s.administratorRoutes(r)
	s.helpRoutes(r)
}

// pathIDs declares what the parameters of our paths name. To an administrator everything exists.
func (s *Service) pathIDs(r *web.Router) {
	r.PathID("person", web.TypedID(func(ctx context.Context, person id.Account) (bool, error) {
		_, err := s.Accounts.Administered(ctx, person)
		return known(err)
	}))
	r.PathID("organization", web.TypedID(func(ctx context.Context, org id.Org) (bool, error) {
		_, err := s.Orgs.Administered(ctx, org)
		return known(err)
	}))
}

func known(err error) (bool, error) {
	if errs.KindOf(err) == errs.NotFound {
		return false, nil
	}
	return err == nil, err
}

func (s *Service) readRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "admin.list_users", Method: http.MethodGet, Path: "/admin/users",
		Summary: "List accounts", Description: "Newest first. `q` is part of a name or an address, or a whole account id.",
		Access: authz.Administrator(),
	}, s.handleListUsers)

	web.Handle(r, web.Op{
		ID: "admin.get_user", Method: http.MethodGet, Path: "/admin/users/{person}",
		Summary: "Show an account", Description: "With the organizations that it belongs to.",
		Access: authz.Administrator(),
	}, s.handleGetUser)

	web.Handle(r, web.Op{
		ID: "admin.list_user_events", Method: http.MethodGet, Path: "/admin/users/{person}/events",
		Summary: "List events of an account", Description: "What its owner sees at `/users/me/events`, and from where administrators acted. Newest first.",
		Access: authz.Administrator(),
	}, s.handleListEvents)

	web.Handle(r, web.Op{
		ID: "admin.list_orgs", Method: http.MethodGet, Path: "/admin/orgs",
		Summary: "List organizations", Description: "Newest first. `q` is part of a name or a slug, or a whole id.",
		Access: authz.Administrator(),
	}, s.handleListOrgs)

	web.Handle(r, web.Op{
		ID: "admin.get_org", Method: http.MethodGet, Path: "/admin/orgs/{organization}",
		Summary: "Show an organization",
		Access:  authz.Administrator(),
	}, s.handleGetOrg)
}

func (s *Service) stopRoutes(r *web.Router) {
	const owners = "\n\nThe last owner of an organization is not stopped, unless `orphan_organizations` is true: `409` names the organizations."

	web.Handle(r, web.Op{
		ID: "admin.suspend_user", Method: http.MethodPost, Path: "/admin/users/{person}/suspend",
		Summary: "Suspend an account", Description: "Its sessions and keys stop at once, everywhere, and it cannot sign in, until it is reinstated. Its owner can read the reason then." + owners,
		Access: authz.Administrator(),
		Errors: []*errs.Error{ErrYourself, accounts.ErrLastAdministrator, orgs.ErrLastOwner, accounts.ErrNotActive, ErrReason},
	}, s.handleSuspend)

	web.Handle(r, web.Op{
		ID: "admin.reinstate_user", Method: http.MethodPost, Path: "/admin/users/{person}/reinstate",
		Summary: "Reinstate a suspended account", Description: "Its owner has to sign in anew.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{accounts.ErrNotSuspended},
	}, s.handleReinstate)

	web.Handle(r, web.Op{
		ID: "admin.delete_user", Method: http.MethodDelete, Path: "/admin/users/{person}", Status: http.StatusAccepted,
		Summary: "Delete an account", Description: "It stops at once, as by suspension. Until `purge_at` it can be restored; then everything that is known of its owner is erased, but for what the law or the event log keeps." + owners,
		Access: authz.Administrator().Fresh(),
		Errors: []*errs.Error{ErrYourself, accounts.ErrLastAdministrator, orgs.ErrLastOwner, accounts.ErrDeleting, ErrReason},
	}, s.handleDelete)

	web.Handle(r, web.Op{
		ID: "admin.restore_user", Method: http.MethodPost, Path: "/admin/users/{person}/restore",
		Summary: "Take back the deletion of an account", Description: "One that was suspended before is suspended again.",
		Access: authz.Administrator(),
		Errors: []*errs.Error{accounts.ErrNotDeleting},
	}, s.handleRestore)
}

func (s *Service) administratorRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "admin.grant_administrator", Method: http.MethodPost, Path: "/admin/users/{person}/grant-administrator",
		Summary: "Make an account an administrator", Description: "Its owner is told by mail.",
		Access: authz.Administrator().Fresh(),
		Errors: []*errs.Error{accounts.ErrNotActive, accounts.ErrUnproven},
	}, s.handleGrant)

	web.Handle(r, web.Op{
		ID: "admin.revoke_administrator", Method: http.MethodPost, Path: "/admin/users/{person}/revoke-administrator",
		Summary: "Take the administration from an account", Description: "Its owner is told by mail.",
		Access: authz.Administrator().Fresh(),
		Errors: []*errs.Error{accounts.ErrLastAdministrator},
	}, s.handleRevoke)
}

func (s *Service) helpRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "admin.sign_out_user", Method: http.MethodPost, Path: "/admin/users/{person}/sign-out", Status: http.StatusNoContent,
		Summary: "End all sessions of an account",
		Access:  authz.Administrator(),
	}, s.handleSignOut)

	web.Handle(r, web.Op{
		ID: "admin.send_password_reset", Method: http.MethodPost, Path: "/admin/users/{person}/send-password-reset", Status: http.StatusAccepted,
		Summary: "Mail the owner of an account a link to set a new password", Description: "The link goes to them alone.",
		Access: authz.Administrator(), Limit: ratelimit.Every(30, time.Minute),
		Errors: []*errs.Error{accounts.ErrNotActive},
	}, s.handleSendReset)

	web.Handle(r, web.Op{
		ID: "admin.reset_second_factors", Method: http.MethodPost, Path: "/admin/users/{person}/reset-second-factors",
		Summary: "Remove all second factors of an account", Description: "Authenticator apps, backup codes and passkeys, for an owner who has lost them: be sure that it is they who ask. Their sessions end, and they are told by mail, with the reason.",
		Access: authz.Administrator().Fresh(), Limit: ratelimit.Every(30, time.Hour),
		Errors: []*errs.Error{ErrYourself, ErrReason, mfa.ErrNone},
	}, s.handleResetFactors)

	web.Handle(r, web.Op{
		ID: "admin.impersonate", Method: http.MethodPost, Path: "/admin/users/{person}/impersonate",
		Summary: "Act as somebody",
		Description: "Opens a session in which the caller sees what the owner of the account sees; with `write`, they may also change what the owner may. Passwords, addresses, factors, sessions and keys stay the owner's alone.\n\n" +
			"It ends after `minutes`, without refresh, and before that when the administrator signs out or the owner ends it. It stands in the owner's event log with its reason, in the list of their sessions, and they are told by mail. " +
			"Every event in it has the administrator for its actor.\n\nWith `cookie: true` the browser's own session gives way to it.",
		Access: authz.Administrator().Fresh(), Limit: ratelimit.Every(30, time.Hour),
		Errors:    []*errs.Error{sessions.ErrNotImpersonated, accounts.ErrNotActive, ErrReason},
		ShownOnce: []string{"access_token"},
	}, s.handleImpersonate)
}

// PersonInput names an account in the path.
type PersonInput struct {
	Person id.Account `path:"person" doc:"Account id"`
}

type listUsersInput struct {
	web.Page
	Text   string `query:"q" maxLength:"100" doc:"Part of a name or an address, or a whole account id"`
	Status string `query:"status" enum:"active,suspended,deleting,unverified"`
	Admin  bool   `query:"admin" doc:"Only administrators"`
}

func (in *listUsersInput) filter() accounts.Filter {
	f := accounts.Filter{Text: in.Text, Administrators: in.Admin, Status: accounts.Status(in.Status)}
	if in.Status == "unverified" {
		f.Status, f.Unverified = "", true
	}
	return f
}

type listOrgsInput struct {
	web.Page
	Text   string `query:"q" maxLength:"100" doc:"Part of a name or a slug, or a whole id"`
	Status string `query:"status" enum:"active,suspended,deleting"`
}

type listEventsInput struct {
	PersonInput
	web.Page
	audit.FilterInput
}

type orgInput struct {
	Organization id.Org `path:"organization" doc:"Organization id"`
}

type stopInput struct {
	PersonInput
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500" doc:"Its owner can read it" example:"Sends spam"`
		Orphan bool   `json:"orphan_organizations,omitempty" doc:"Also where it is the last owner of organizations, which are left without one"`
	}
}

func (in *stopInput) why() Stop { return Stop{Reason: in.Body.Reason, Orphan: in.Body.Orphan} }

type resetFactorsInput struct {
	PersonInput
	Body struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500" doc:"Its owner reads it" example:"You lost your phone, and proved on the telephone who you are"`
	}
}

type impersonateInput struct {
	PersonInput
	Body struct {
		Reason  string `json:"reason" minLength:"3" maxLength:"500" doc:"Shown to the owner" example:"You asked us why your export is empty"`
		Minutes int    `json:"minutes,omitempty" minimum:"1" maximum:"60" default:"30"`
		Write   bool   `json:"write,omitempty" doc:"Do more than look"`
		Cookie  bool   `json:"cookie,omitempty" doc:"For a browser: set a cookie instead of handing out a token"`
	}
}

func (in *impersonateInput) wish() sessions.Impersonation {
	b := in.Body
	return sessions.Impersonation{Reason: b.Reason, For: time.Duration(b.Minutes) * time.Minute, MayWrite: b.Write, Cookie: b.Cookie}
}

type userOutput struct{ Body User }

type detailOutput struct{ Body UserDetail }

type orgOutput struct{ Body orgs.Administered }

type deleteOutput struct {
	Body struct {
		Status  accounts.Status `json:"status" enum:"deleting"`
		PurgeAt time.Time       `json:"purge_at" doc:"Until then it can be restored"`
	}
}

func (s *Service) handleListUsers(ctx context.Context, in *listUsersInput) (*web.ListOutput[User], error) {
	return web.Paged(ctx, in.Page, func(after *accounts.Place, n int) ([]User, error) { return s.List(ctx, in.filter(), after, n) },
		func(u User) accounts.Place { return accounts.Place{At: u.CreatedAt, ID: u.ID} })
}

func (s *Service) handleGetUser(ctx context.Context, in *PersonInput) (*detailOutput, error) {
	u, err := s.Detail(ctx, in.Person)
	return &detailOutput{u}, err
}

func (s *Service) handleListEvents(ctx context.Context, in *listEventsInput) (*web.ListOutput[audit.Event], error) {
	if _, err := s.Accounts.Administered(ctx, in.Person); err != nil {
		return nil, err
	}
	return s.Audit.Page(ctx, in.Person, in.Page, in.FilterInput)
}

func (s *Service) handleListOrgs(ctx context.Context, in *listOrgsInput) (*web.ListOutput[orgs.Administered], error) {
	return web.Paged(ctx, in.Page, func(after *orgs.Place, n int) ([]orgs.Administered, error) {
		return s.Orgs.List(ctx, orgs.Filter{Text: in.Text, Status: orgs.Status(in.Status)}, after, n)
	}, func(o orgs.Administered) orgs.Place { return orgs.Place{At: o.CreatedAt, ID: o.ID} })
}

func (s *Service) handleGetOrg(ctx context.Context, in *orgInput) (*orgOutput, error) {
	o, err := s.Orgs.Administered(ctx, in.Organization)
	return &orgOutput{o}, err
}

func (s *Service) handleSuspend(ctx context.Context, in *stopInput) (*userOutput, error) {
	u, err := s.Suspend(ctx, in.Person, in.why())
	return &userOutput{u}, err
}

func (s *Service) handleReinstate(ctx context.Context, in *PersonInput) (*userOutput, error) {
	u, err := s.Reinstate(ctx, in.Person)
	return &userOutput{u}, err
}

func (s *Service) handleDelete(ctx context.Context, in *stopInput) (*deleteOutput, error) {
	at, err := s.Delete(ctx, in.Person, in.why())
	out := &deleteOutput{}
	out.Body.Status, out.Body.PurgeAt = accounts.Deleting, at
	return out, err
}

func (s *Service) handleRestore(ctx context.Context, in *PersonInput) (*userOutput, error) {
	u, err := s.Restore(ctx, in.Person)
	return &userOutput{u}, err
}

func (s *Service) handleGrant(ctx context.Context, in *PersonInput) (*userOutput, error) {
	u, err := s.GrantAdministrator(ctx, in.Person)
	return &userOutput{u}, err
}

func (s *Service) handleRevoke(ctx context.Context, in *PersonInput) (*userOutput, error) {
	u, err := s.RevokeAdministrator(ctx, in.Person)
	return &userOutput{u}, err
}

func (s *Service) handleSignOut(ctx context.Context, in *PersonInput) (*web.Empty, error) {
	return nil, s.SignOut(ctx, in.Person)
}

func (s *Service) handleSendReset(ctx context.Context, in *PersonInput) (*accounts.StatusOutput, error) {
	return accounts.Said("mailed"), s.SendPasswordReset(ctx, in.Person)
}

func (s *Service) handleResetFactors(ctx context.Context, in *resetFactorsInput) (*userOutput, error) {
	u, err := s.ResetSecondFactors(ctx, in.Person, in.Body.Reason)
	return &userOutput{u}, err
}

func (s *Service) handleImpersonate(ctx context.Context, in *impersonateInput) (*sessions.Output, error) {
	opened, err := s.Impersonate(ctx, in.Person, in.wish())
	return sessions.Answer(opened), err
}
