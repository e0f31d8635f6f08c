package orgs

import (
	"context"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) roleRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "orgs.list_roles", Method: http.MethodGet, Path: "/orgs/{org}/roles",
		Summary: "List roles", Description: "The built-in ones first, strongest first; then the organization's own by key.",
		Access: authz.InOrg(PermRead),
	}, s.handleListRoles)

	web.Handle(r, web.Op{
		ID: "orgs.create_role", Method: http.MethodPost, Path: "/orgs/{org}/roles", Status: http.StatusCreated,
		Summary: "Make a role", Description: "Of permissions that the caller has.",
		Access: authz.InOrg(PermManageRoles),
		Errors: []*errs.Error{ErrBeyondRights, ErrRoleTaken, ErrRoleKeyInvalid, ErrPermissionUnknown, ErrTooManyRoles},
	}, s.handleCreateRole)

	web.Handle(r, web.Op{
		ID: "orgs.update_role", Method: http.MethodPatch, Path: "/orgs/{org}/roles/{role}",
		Summary: "Change a role", Description: "Members that are absent stay as they are; the key stays always. Everyone with the role feels it at once.",
		Access: authz.InOrg(PermManageRoles),
		Errors: []*errs.Error{ErrBeyondRights, ErrRoleBuiltIn, ErrPermissionUnknown},
	}, s.handleUpdateRole)

	web.Handle(r, web.Op{
		ID: "orgs.delete_role", Method: http.MethodDelete, Path: "/orgs/{org}/roles/{role}", Status: http.StatusNoContent,
		Summary: "Delete a role", Description: "That no member and no open invitation has.",
		Access: authz.InOrg(PermManageRoles),
		Errors: []*errs.Error{ErrBeyondRights, ErrRoleBuiltIn, ErrRoleInUse},
	}, s.handleDeleteRole)
}

type createRoleInput struct {
	web.InOrg
	Body struct {
		Key         authz.Role         `json:"key" doc:"2 to 40 lower-case letters, digits, dashes and underscores, a letter first" example:"support"`
		Name        string             `json:"name" example:"Support"`
		Permissions []authz.Permission `json:"permissions" nullable:"false" maxItems:"500" doc:"Names from /permissions"`
	}
}

// RoleInput names a role in the path.
type RoleInput struct {
	Role string `path:"role" doc:"Key or id of a role" example:"support"`
}

type roleInput struct {
	web.InOrg
	RoleInput
}

type updateRoleInput struct {
	web.InOrg
	RoleInput
	Body struct {
		Name        *string             `json:"name,omitempty"`
		Permissions *[]authz.Permission `json:"permissions,omitempty" maxItems:"500"`
	}
}

type roleOutput struct{ Body Role }

func (s *Service) handleListRoles(ctx context.Context, in *orgListInput) (*web.ListOutput[Role], error) {
	key := func(r Role) authz.Role { return r.Key }
	return web.Paged(ctx, in.Page, func(after *authz.Role, n int) ([]Role, error) { return s.allRoles(ctx, in, after, n) }, key)
}

func (s *Service) allRoles(ctx context.Context, in *orgListInput, after *authz.Role, n int) ([]Role, error) {
	page := []Role{}
	var own authz.Role
	if after == nil || isBuiltIn(*after) {
		for _, key := range following(authz.BuiltIn(), after, n, func(r authz.Role) authz.Role { return r }) {
			page = append(page, s.builtInRole(key))
		}
	} else {
		own = *after
	}
	rest, err := s.OwnRoles(ctx, in.Org, own, n-len(page))
	return append(page, rest...), err
}

func (s *Service) handleCreateRole(ctx context.Context, in *createRoleInput) (*roleOutput, error) {
	r, err := s.CreateRole(ctx, in.Org, NewRole{Key: in.Body.Key, Name: in.Body.Name, Permissions: in.Body.Permissions})
	return &roleOutput{r}, err
}

func (s *Service) handleUpdateRole(ctx context.Context, in *updateRoleInput) (*roleOutput, error) {
	r, err := s.UpdateRole(ctx, in.Org, in.Role, RoleUpdate{Name: in.Body.Name, Permissions: in.Body.Permissions})
	return &roleOutput{r}, err
}

func (s *Service) handleDeleteRole(ctx context.Context, in *roleInput) (*web.Empty, error) {
	return nil, s.DeleteRole(ctx, in.Org, in.Role)
}
