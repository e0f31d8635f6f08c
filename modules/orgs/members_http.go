package orgs

import (
	"context"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) memberRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "orgs.list_members", Method: http.MethodGet, Path: "/orgs/{org}/members",
		Summary: "List members", Description: "In the order in which they joined.",
		Access: authz.InOrg(PermListMembers),
	}, s.handleListMembers)

	web.Handle(r, web.Op{
		ID: "orgs.update_member", Method: http.MethodPatch, Path: "/orgs/{org}/members/{account}",
		Summary: "Give a member another role", Description: "Nobody gives a role, or takes one away, that goes beyond their own.",
		Access: authz.InOrg(PermManageMembers),
		Errors: []*errs.Error{ErrBeyondRights, ErrRoleUnknown, ErrLastOwner},
	}, s.handleUpdateMember)

	web.Handle(r, web.Op{
		ID: "orgs.remove_member", Method: http.MethodDelete, Path: "/orgs/{org}/members/{account}", Status: http.StatusNoContent,
		Summary: "Remove a member",
		Access:  authz.InOrg(PermManageMembers),
		Errors:  []*errs.Error{ErrBeyondRights, ErrLastOwner},
	}, s.handleRemoveMember)

	web.Handle(r, web.Op{
		ID: "orgs.leave", Method: http.MethodPost, Path: "/orgs/{org}/leave", Status: http.StatusNoContent,
		Summary: "Leave an organization",
		Access:  authz.InOrg(PermRead).InPerson(),
		Errors:  []*errs.Error{ErrLastOwner},
	}, s.handleLeave)
}

type orgListInput struct {
	web.InOrg
	web.Page
}

// AccountInput names a member in the path.
type AccountInput struct {
	Account id.Account `path:"account" doc:"Account id of a member"`
}

type memberInput struct {
	web.InOrg
	AccountInput
}

type updateMemberInput struct {
	web.InOrg
	AccountInput
	Body struct {
		Role authz.Role `json:"role" doc:"Key of a role" example:"admin"`
	}
}

type memberOutput struct{ Body Member }

func (s *Service) handleListMembers(ctx context.Context, in *orgListInput) (*web.ListOutput[Member], error) {
	return web.Paged(ctx, in.Page, func(after *place[id.AccountKind], n int) ([]Member, error) {
		return s.Members(ctx, in.Org, after, n)
	}, placeOfMember)
}

func (s *Service) handleUpdateMember(ctx context.Context, in *updateMemberInput) (*memberOutput, error) {
	m, err := s.SetRole(ctx, in.Org, in.Account, in.Body.Role)
	return &memberOutput{m}, err
}

func (s *Service) handleRemoveMember(ctx context.Context, in *memberInput) (*web.Empty, error) {
	return nil, s.Remove(ctx, in.Org, in.Account)
}

func (s *Service) handleLeave(ctx context.Context, in *orgInput) (*web.Empty, error) {
	return nil, s.Leave(ctx, in.Org)
}
