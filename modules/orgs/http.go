package orgs

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	s.pathIDs(r)

	web.Handle(r, web.Op{
		ID: "orgs.create", Method: http.MethodPost, Path: "/orgs", Status: http.StatusCreated,
		Summary: "Make an organization", Description: "Its maker is its first owner.",
		Access: authz.SignedIn(), WhileImpersonating: true,
		Errors: []*errs.Error{ErrSlugTaken, ErrSlugInvalid, ErrSlugReserved, ErrNameInvalid},
	}, s.handleCreate)

	web.Handle(r, web.Op{
		ID: "orgs.list", Method: http.MethodGet, Path: "/orgs",
		Summary: "List one's own organizations", Description: "In the order in which one joined them. Those that are being deleted are shown to their owners only.",
		Access: authz.SignedIn(),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "orgs.get", Method: http.MethodGet, Path: "/orgs/{org}",
		Summary: "Show an organization",
		Access:  authz.InOrg(PermRead),
	}, s.handleGet)

	web.Handle(r, web.Op{
		ID: "orgs.update", Method: http.MethodPatch, Path: "/orgs/{org}",
		Summary: "Change an organization", Description: "Members that are absent stay as they are. A slug that is given up can be taken by others at once.",
		Access: authz.InOrg(PermUpdate),
		Errors: []*errs.Error{ErrSlugTaken, ErrSlugInvalid, ErrSlugReserved, ErrNameInvalid, ErrFactorNeeded},
	}, s.handleUpdate)

	web.Handle(r, web.Op{
		ID: "orgs.delete", Method: http.MethodDelete, Path: "/orgs/{org}", Status: http.StatusAccepted,
		Summary: "Delete an organization", Description: "It stops working at once. Until `purge_at` an owner can restore it; then it is gone for good.",
		Access: authz.InOrg(PermDelete).Fresh(),
		Errors: []*errs.Error{ErrDeleting},
	}, s.handleDelete)

	web.Handle(r, web.Op{
		ID: "orgs.restore", Method: http.MethodPost, Path: "/orgs/{org}/restore",
		Summary: "Take back the deletion of an organization",
		Access:  authz.InOrg(PermDelete),
		Errors:  []*errs.Error{ErrNotDeleting},
	}, s.handleRestore)

	web.Handle(r, web.Op{
		ID: "orgs.transfer", Method: http.MethodPost, Path: "/orgs/{org}/transfer",
		Summary: "Hand an organization over", Description: "The other member becomes an owner, the caller an admin.",
		Access: authz.InOrg(PermTransfer).Fresh(),
		Errors: []*errs.Error{ErrMemberNotFound, ErrMemberStopped, ErrTransferToSelf},
	}, s.handleTransfer)

	web.Handle(r, web.Op{
		ID: "orgs.list_permissions", Method: http.MethodGet, Path: "/permissions",
		Summary: "List what can be allowed in an organization", Description: "With the built-in roles that include it.",
		Access: authz.SignedIn(),
	}, s.handlePermissions)

	s.memberRoutes(r)
	s.roleRoutes(r)
	s.teamRoutes(r)
	s.invitationRoutes(r)
}

// pathIDs declares what the parameters of our paths name. What exists only in another
// organization does not exist.
func (s *Service) pathIDs(r *web.Router) {
	r.PathID("account", web.TypedID(func(ctx context.Context, account id.Account) (bool, error) {
		org := authz.MembershipFrom(ctx).Org
		_, err := memberByID(ctx, s.DB.Org(org), org, account)
		return found(err)
	}))
	r.PathID("team", web.TypedID(func(ctx context.Context, team TeamID) (bool, error) {
		_, err := s.Team(ctx, authz.MembershipFrom(ctx).Org, team)
		return found(err)
	}))
	r.PathID("invitation", web.TypedID(func(ctx context.Context, invitation InvitationID) (bool, error) {
		org := authz.MembershipFrom(ctx).Org
		_, err := openInvitation(ctx, s.DB.Org(org), org, invitation)
		return found(err)
	}))
	r.PathID("role", web.PathID{Parse: parseRoleName, Exists: s.hasRole})
}

// parseRoleName refuses what is neither the key nor the id of a role.
func parseRoleName(name string) error {
	if _, err := id.Parse[roleKind](name); err == nil || roleKeyPattern.MatchString(name) {
		return nil
	}
	return ErrRoleNotFound
}

type createInput struct {
	Body struct {
		Name        string `json:"name" example:"Acme Ltd"`
		Slug        string `json:"slug" doc:"Short name for addresses: 3 to 40 lower-case letters and digits, with single dashes between them" example:"acme"`
		Description string `json:"description,omitempty"`
	}
}

type listInput struct{ web.Page }

type orgInput struct{ web.InOrg }

type updateInput struct {
	web.InOrg
	web.IfMatch
	Body struct {
		Name        *string `json:"name,omitempty"`
		Slug        *string `json:"slug,omitempty"`
		Description *string `json:"description,omitempty"`
		Settings    *struct {
			Locale   *string `json:"locale,omitempty" doc:"Language of letters to people without an account (BCP 47); empty: the sender's"`
			TimeZone *string `json:"time_zone,omitempty" doc:"IANA time zone; empty: each reader's own"`

			RequireSecondFactor *bool `json:"require_second_factor,omitempty" doc:"Members without a second factor have no rights until they have one. Whoever turns it on needs one"`
		} `json:"settings,omitempty" doc:"Members that are absent stay as they are"`
	}
}

func (in *updateInput) update() Update {
	u := Update{Name: in.Body.Name, Slug: in.Body.Slug, Description: in.Body.Description, Match: in.Check}
	if settings := in.Body.Settings; settings != nil {
		u.Locale, u.TimeZone, u.RequireSecondFactor = settings.Locale, settings.TimeZone, settings.RequireSecondFactor
	}
	return u
}

type transferInput struct {
	web.InOrg
	Body struct {
		AccountID id.Account `json:"account_id" doc:"A member"`
	}
}

type orgOutput struct {
	ETag string `header:"ETag"`
	Body Org
}

func shown(o Org) *orgOutput { return &orgOutput{web.ETag(o.UpdatedAt), o} }

type deleteOutput struct {
	Body struct {
		Status  Status    `json:"status" enum:"deleting"`
		PurgeAt time.Time `json:"purge_at" doc:"Until then it can be restored"`
	}
}

func (s *Service) handleCreate(ctx context.Context, in *createInput) (*orgOutput, error) {
	o, err := s.Create(ctx, NewOrg{Name: in.Body.Name, Slug: in.Body.Slug, Description: in.Body.Description})
	return shown(o), err
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Org], error) {
	return web.Paged(ctx, in.Page, func(after *place[id.OrgKind], n int) ([]Org, error) { return s.Mine(ctx, after, n) },
		func(o Org) place[id.OrgKind] { return place[id.OrgKind]{o.joinedAt, o.ID} })
}

func (s *Service) handleGet(ctx context.Context, in *orgInput) (*orgOutput, error) {
	o, err := s.Get(ctx, in.Org)
	return shown(o), err
}

func (s *Service) handleUpdate(ctx context.Context, in *updateInput) (*orgOutput, error) {
	o, err := s.Update(ctx, in.Org, in.update())
	return shown(o), err
}

func (s *Service) handleDelete(ctx context.Context, in *orgInput) (*deleteOutput, error) {
	at, err := s.Delete(ctx, in.Org)
	out := &deleteOutput{}
	out.Body.Status, out.Body.PurgeAt = Deleting, at
	return out, err
}

func (s *Service) handleRestore(ctx context.Context, in *orgInput) (*orgOutput, error) {
	o, err := s.Restore(ctx, in.Org)
	return shown(o), err
}

func (s *Service) handleTransfer(ctx context.Context, in *transferInput) (*orgOutput, error) {
	o, err := s.Transfer(ctx, in.Org, in.Body.AccountID)
	return shown(o), err
}

// Permission is what can be allowed, as the API shows it.
type Permission struct {
	Name        authz.Permission `json:"name" example:"orgs.invite"`
	Description string           `json:"description" example:"Invite people, see and revoke invitations"`
	Roles       []authz.Role     `json:"roles" doc:"Built-in roles that include it"`
}

func (s *Service) handlePermissions(ctx context.Context, in *listInput) (*web.ListOutput[Permission], error) {
	all := []Permission{}
	for _, g := range s.Roles.All() {
		all = append(all, Permission{g.Perm, g.Doc, append([]authz.Role{}, g.To...)})
	}
	return web.Paged(ctx, in.Page, func(after *authz.Permission, n int) ([]Permission, error) {
		return following(all, after, n, func(p Permission) authz.Permission { return p.Name }), nil
	}, func(p Permission) authz.Permission { return p.Name })
}

// following is a page of a list that is in memory: up to n items behind the one named after.
func following[T any, K comparable](list []T, after *K, n int, name func(T) K) []T {
	if after != nil {
		list = list[slices.IndexFunc(list, func(t T) bool { return name(t) == *after })+1:]
	}
	return list[:min(n, len(list))]
}
