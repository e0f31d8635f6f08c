package orgs

import (
	"context"
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// The outcomes about teams.
var (
	ErrTeamNotFound    = errs.New(errs.NotFound, "orgs.team_not_found", "This organization has no such team.")
	ErrTeamUnknown     = errs.New(errs.Invalid, "orgs.team_unknown", "This organization has no such team.").On("body.team_ids")
	ErrTeamSlugTaken   = errs.New(errs.Conflict, "orgs.team_slug_taken", "A team of this organization has this short name already.").On("body.slug")
	ErrTeamSlugInvalid = errs.New(errs.Invalid, "orgs.team_slug_invalid", "Use 1 to 40 lower-case letters and digits, with single dashes between them.").On("body.slug")
	ErrTeamNameInvalid = errs.New(errs.Invalid, "orgs.team_name_invalid", "Enter a name of 1 to 60 characters, on one line.").On("body.name")
	ErrNotInTeam       = errs.New(errs.NotFound, "orgs.team_member_not_found", "This member is not in the team.")
)

type teamKind struct{}

// Prefix begins the id of every team.
func (teamKind) Prefix() string { return "team" }

// TeamID identifies a team.
type TeamID = id.ID[teamKind]

// Team is a group of members.
type Team struct {
	ID        TeamID    `json:"id"`
	Name      string    `json:"name" example:"Design"`
	Slug      string    `json:"slug" doc:"Unique in the organization" example:"design"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// TeamRole is what a member is in a team.
type TeamRole string

// The roles in a team. They say who speaks for it, and grant nothing by themselves.
const (
	TeamMember TeamRole = "member"
	TeamLead   TeamRole = "lead"
)

// Teammate is a member in a team.
type Teammate struct {
	AccountID id.Account `json:"account_id"`
	Name      string     `json:"name" example:"Ada Lovelace"`
	Email     string     `json:"email" example:"ada@example.com"`
	Role      TeamRole   `json:"role" enum:"member,lead" doc:"In the team"`
	JoinedAt  time.Time  `json:"joined_at" doc:"The team"`
}

// NewTeam is what a new team is made of.
type NewTeam struct{ Name, Slug string }

// TeamUpdate is a change of a team; nil fields stay.
type TeamUpdate struct{ Name, Slug *string }

func cleanTeamName(name string) (string, error) {
	name, ok := line(name, 60)
	if !ok || name == "" {
		return "", ErrTeamNameInvalid
	}
	return name, nil
}

// cleanTeamSlug knows no reserved words: a team's slug stands behind its organization's.
func cleanTeamSlug(slug string) (string, error) {
	if len(slug) > 40 || !slugPattern.MatchString(slug) {
		return "", ErrTeamSlugInvalid
	}
	return slug, nil
}

func (u TeamUpdate) apply(t *Team) (map[string]audit.Change, error) {
	changes := map[string]audit.Change{}
	if u.Name != nil {
		name, err := cleanTeamName(*u.Name)
		if err != nil {
			return nil, err
		}
		if name != t.Name {
			changes["name"] = audit.Change{From: t.Name, To: name}
			t.Name = name
		}
	}
	if u.Slug != nil {
		slug, err := cleanTeamSlug(*u.Slug)
		if err != nil {
			return nil, err
		}
		if slug != t.Slug {
			changes["slug"] = audit.Change{From: t.Slug, To: slug}
			t.Slug = slug
		}
	}
	return changes, nil
}

func placeOfTeammate(m Teammate) place[id.AccountKind] {
	return place[id.AccountKind]{m.JoinedAt, m.AccountID}
}

// Teams lists the teams of an organization by slug, those after the given slug.
func (s *Service) Teams(ctx context.Context, org id.Org, after string, n int) ([]Team, error) {
	return teamsOf(ctx, s.DB.Org(org), org, after, n)
}

// Team returns a team.
func (s *Service) Team(ctx context.Context, org id.Org, team TeamID) (Team, error) {
	return teamByID(ctx, s.DB.Org(org), org, team)
}

// CreateTeam adds a team to an organization.
func (s *Service) CreateTeam(ctx context.Context, org id.Org, n NewTeam) (Team, error) {
	name, err := cleanTeamName(n.Name)
	if err != nil {
		return Team{}, err
	}
	slug, err := cleanTeamSlug(n.Slug)
	if err != nil {
		return Team{}, err
	}
	now := s.Now()
	team := Team{ID: id.New[teamKind](), Name: name, Slug: slug, CreatedAt: now, UpdatedAt: now}
	err = s.change(ctx, org, PermManageTeams, func(h *held) error {
		if err := insertTeam(ctx, h.tx, org, team); err != nil {
			return err
		}
		return h.record(ctx, TeamCreated{About{org}, team.ID}, team.target(), nil)
	})
	return team, err
}

// UpdateTeam changes a team.
func (s *Service) UpdateTeam(ctx context.Context, org id.Org, team TeamID, u TeamUpdate) (Team, error) {
	var out Team
	err := s.change(ctx, org, PermManageTeams, func(h *held) error {
		t, err := teamByID(ctx, h.tx, org, team)
		if err != nil {
			return err
		}
		changes, err := u.apply(&t)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			t.UpdatedAt = s.Now()
			if err := updateTeam(ctx, h.tx, org, t); err != nil {
				return err
			}
			if err := h.record(ctx, TeamUpdated{About{org}, team}, t.target(), changes); err != nil {
				return err
			}
		}
		out = t
		return nil
	})
	return out, err
}

// DeleteTeam removes a team. Its members stay in the organization.
func (s *Service) DeleteTeam(ctx context.Context, org id.Org, team TeamID) error {
	return s.change(ctx, org, PermManageTeams, func(h *held) error {
		t, err := teamByID(ctx, h.tx, org, team)
		if err != nil {
			return err
		}
		if err := deleteTeam(ctx, h.tx, org, team); err != nil {
			return err
		}
		return h.record(ctx, TeamDeleted{About{org}, team}, t.target(), nil)
	})
}

// Teammates lists the members of a team, in the order in which they joined it.
func (s *Service) Teammates(ctx context.Context, org id.Org, team TeamID, after *place[id.AccountKind], n int) ([]Teammate, error) {
	if _, err := s.Team(ctx, org, team); err != nil {
		return nil, err
	}
	return teammates(ctx, s.DB.Org(org), org, team, after, n)
}

// AddToTeam puts a member into a team, or gives them another role in it.
func (s *Service) AddToTeam(ctx context.Context, org id.Org, team TeamID, account id.Account, role TeamRole) error {
	return s.change(ctx, org, PermManageTeams, func(h *held) error {
		if _, err := teamByID(ctx, h.tx, org, team); err != nil {
			return err
		}
		m, err := memberByID(ctx, h.tx, org, account)
		if err != nil {
			return err
		}
		return h.addToTeam(ctx, team, m, role)
	})
}

func (h *held) addToTeam(ctx context.Context, team TeamID, m Member, role TeamRole) error {
	changed, err := putTeammate(ctx, h.tx, h.org.ID, team, m.AccountID, role, h.s.Now())
	if err != nil || !changed {
		return err
	}
	return h.record(ctx, TeamMemberAdded{About{h.org.ID}, team, m.AccountID, role}, m.target(), nil)
}

// RemoveFromTeam takes a member out of a team.
func (s *Service) RemoveFromTeam(ctx context.Context, org id.Org, team TeamID, account id.Account) error {
	return s.change(ctx, org, PermManageTeams, func(h *held) error {
		if _, err := teamByID(ctx, h.tx, org, team); err != nil {
			return err
		}
		m, err := memberByID(ctx, h.tx, org, account)
		if err != nil {
			return err
		}
		if err := deleteTeammate(ctx, h.tx, org, team, account); err != nil {
			return err
		}
		return h.record(ctx, TeamMemberRemoved{About{org}, team, account}, m.target(), nil)
	})
}
