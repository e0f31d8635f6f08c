package orgs

import (
	"context"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) teamRoutes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "orgs.list_teams", Method: http.MethodGet, Path: "/orgs/{org}/teams",
		Summary: "List teams", Description: "By slug.",
		Access: authz.InOrg(PermListTeams),
	}, s.handleListTeams)

	web.Handle(r, web.Op{
		ID: "orgs.create_team", Method: http.MethodPost, Path: "/orgs/{org}/teams", Status: http.StatusCreated,
		Summary: "Make a team",
		Access:  authz.InOrg(PermManageTeams),
		Errors:  []*errs.Error{ErrTeamSlugTaken, ErrTeamSlugInvalid, ErrTeamNameInvalid},
	}, s.handleCreateTeam)

	web.Handle(r, web.Op{
		ID: "orgs.get_team", Method: http.MethodGet, Path: "/orgs/{org}/teams/{team}",
		Summary: "Show a team",
		Access:  authz.InOrg(PermListTeams),
	}, s.handleGetTeam)

	web.Handle(r, web.Op{
		ID: "orgs.update_team", Method: http.MethodPatch, Path: "/orgs/{org}/teams/{team}",
		Summary: "Change a team", Description: "Members that are absent stay as they are.",
		Access: authz.InOrg(PermManageTeams),
		Errors: []*errs.Error{ErrTeamSlugTaken, ErrTeamSlugInvalid, ErrTeamNameInvalid},
	}, s.handleUpdateTeam)

	web.Handle(r, web.Op{
		ID: "orgs.delete_team", Method: http.MethodDelete, Path: "/orgs/{org}/teams/{team}", Status: http.StatusNoContent,
		Summary: "Delete a team", Description: "Its members stay in the organization.",
		Access: authz.InOrg(PermManageTeams),
	}, s.handleDeleteTeam)

	web.Handle(r, web.Op{
		ID: "orgs.list_team_members", Method: http.MethodGet, Path: "/orgs/{org}/teams/{team}/members",
		Summary: "List the members of a team", Description: "In the order in which they joined it.",
		Access: authz.InOrg(PermListTeams),
	}, s.handleListTeammates)

	web.Handle(r, web.Op{
		ID: "orgs.add_team_member", Method: http.MethodPut, Path: "/orgs/{org}/teams/{team}/members/{account}", Status: http.StatusNoContent,
		Summary: "Put a member into a team", Description: "Or give them another role in it.",
		Access: authz.InOrg(PermManageTeams),
	}, s.handleAddToTeam)

	web.Handle(r, web.Op{
		ID: "orgs.remove_team_member", Method: http.MethodDelete, Path: "/orgs/{org}/teams/{team}/members/{account}", Status: http.StatusNoContent,
		Summary: "Take a member out of a team",
		Access:  authz.InOrg(PermManageTeams),
		Errors:  []*errs.Error{ErrNotInTeam},
	}, s.handleRemoveFromTeam)
}

type createTeamInput struct {
	web.InOrg
	Body struct {
		Name string `json:"name" example:"Design"`
		Slug string `json:"slug" doc:"Unique in the organization" example:"design"`
	}
}

// TeamInput names a team in the path.
type TeamInput struct {
	Team TeamID `path:"team"`
}

type teamInput struct {
	web.InOrg
	TeamInput
}

type teamListInput struct {
	web.InOrg
	TeamInput
	web.Page
}

type updateTeamInput struct {
	web.InOrg
	TeamInput
	Body struct {
		Name *string `json:"name,omitempty"`
		Slug *string `json:"slug,omitempty"`
	}
}

type teamMemberInput struct {
	web.InOrg
	TeamInput
	AccountInput
}

type addToTeamInput struct {
	web.InOrg
	TeamInput
	AccountInput
	Body *struct {
		Role TeamRole `json:"role,omitempty" enum:"member,lead" doc:"member, when not given"`
	}
}

type teamOutput struct{ Body Team }

func (s *Service) handleListTeams(ctx context.Context, in *orgListInput) (*web.ListOutput[Team], error) {
	return web.Paged(ctx, in.Page, func(after *string, n int) ([]Team, error) {
		if after == nil {
			after = new(string)
		}
		return s.Teams(ctx, in.Org, *after, n)
	}, func(t Team) string { return t.Slug })
}

func (s *Service) handleCreateTeam(ctx context.Context, in *createTeamInput) (*teamOutput, error) {
	t, err := s.CreateTeam(ctx, in.Org, NewTeam{Name: in.Body.Name, Slug: in.Body.Slug})
	return &teamOutput{t}, err
}

func (s *Service) handleGetTeam(ctx context.Context, in *teamInput) (*teamOutput, error) {
	t, err := s.Team(ctx, in.Org, in.Team)
	return &teamOutput{t}, err
}

func (s *Service) handleUpdateTeam(ctx context.Context, in *updateTeamInput) (*teamOutput, error) {
	t, err := s.UpdateTeam(ctx, in.Org, in.Team, TeamUpdate{Name: in.Body.Name, Slug: in.Body.Slug})
	return &teamOutput{t}, err
}

func (s *Service) handleDeleteTeam(ctx context.Context, in *teamInput) (*web.Empty, error) {
	return nil, s.DeleteTeam(ctx, in.Org, in.Team)
}

func (s *Service) handleListTeammates(ctx context.Context, in *teamListInput) (*web.ListOutput[Teammate], error) {
	return web.Paged(ctx, in.Page, func(after *place[id.AccountKind], n int) ([]Teammate, error) {
		return s.Teammates(ctx, in.Org, in.Team, after, n)
	}, placeOfTeammate)
}

func (s *Service) handleAddToTeam(ctx context.Context, in *addToTeamInput) (*web.Empty, error) {
	role := TeamMember
	if in.Body != nil && in.Body.Role != "" {
		role = in.Body.Role
	}
	return nil, s.AddToTeam(ctx, in.Org, in.Team, in.Account, role)
}

func (s *Service) handleRemoveFromTeam(ctx context.Context, in *teamMemberInput) (*web.Empty, error) {
	return nil, s.RemoveFromTeam(ctx, in.Org, in.Team, in.Account)
}
