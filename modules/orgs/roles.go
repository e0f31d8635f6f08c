package orgs

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// The outcomes about roles.
var (
	ErrRoleNotFound      = errs.New(errs.NotFound, "orgs.role_not_found", "This organization has no such role.")
	ErrRoleUnknown       = errs.New(errs.Invalid, "orgs.role_unknown", "This organization has no such role.").On("body.role")
	ErrRoleTaken         = errs.New(errs.Conflict, "orgs.role_taken", "A role with this key exists already.").On("body.key")
	ErrRoleBuiltIn       = errs.New(errs.Conflict, "orgs.role_built_in", "Built-in roles cannot be changed.")
	ErrRoleInUse         = errs.New(errs.Conflict, "orgs.role_in_use", "Members or invitations have this role. Give them another first.")
	ErrTooManyRoles      = errs.New(errs.Conflict, "orgs.too_many_roles", "An organization can have 100 roles of its own.")
	ErrRoleKeyInvalid    = errs.New(errs.Invalid, "orgs.role_key_invalid", "Use 2 to 40 lower-case letters, digits, dashes and underscores, a letter first.").On("body.key")
	ErrRoleNameInvalid   = errs.New(errs.Invalid, "orgs.role_name_invalid", "Enter a name of 1 to 60 characters, on one line.").On("body.name")
	ErrPermissionUnknown = errs.New(errs.Invalid, "orgs.permission_unknown", "There is no such permission.").On("body.permissions")
)

type roleKind struct{}

// Prefix begins the id of every role of an organization's own.
func (roleKind) Prefix() string { return "role" }

// RoleID identifies a role of an organization's own.
type RoleID = id.ID[roleKind]

// Role is a named set of permissions in an organization.
type Role struct {
	ID          *RoleID            `json:"id" doc:"Null for built-in roles"`
	Key         authz.Role         `json:"key" doc:"What members and invitations refer to" example:"support"`
	Name        string             `json:"name" example:"Support"`
	Permissions []authz.Permission `json:"permissions" doc:"Sorted by name"`
	BuiltIn     bool               `json:"built_in" doc:"The same in every organization; cannot be changed"`
	CreatedAt   *time.Time         `json:"created_at" doc:"Null for built-in roles"`
	UpdatedAt   *time.Time         `json:"updated_at" doc:"Null for built-in roles"`
}

// NewRole is what a new role is made of.
type NewRole struct {
	Key         authz.Role
	Name        string
	Permissions []authz.Permission
}

// RoleUpdate is a change of a role; nil fields stay. The key never changes.
type RoleUpdate struct {
	Name        *string
	Permissions *[]authz.Permission
}

// maxRoles is how many roles of its own an organization can have.
const maxRoles = 100

var roleKeyPattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{1,39}$`)

func isBuiltIn(role authz.Role) bool { return slices.Contains(authz.BuiltIn(), role) }

// cleanRoleKey keeps keys apart from ids, which begin alike.
func cleanRoleKey(key authz.Role) error {
	if isBuiltIn(key) {
		return ErrRoleTaken
	}
	if !roleKeyPattern.MatchString(string(key)) || strings.HasPrefix(string(key), "role_") {
		return ErrRoleKeyInvalid
	}
	return nil
}

func cleanRoleName(name string) (string, error) {
	name, ok := line(name, 60)
	if !ok || name == "" {
		return "", ErrRoleNameInvalid
	}
	return name, nil
}

// cleanPermissions sorts a set of permissions, and refuses what the product does not know.
func cleanPermissions(catalog *authz.Catalog, perms []authz.Permission) ([]authz.Permission, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(perms)))
	if len(catalog.Known(sorted)) < len(sorted) {
		return nil, ErrPermissionUnknown
	}
	if sorted == nil {
		sorted = []authz.Permission{}
	}
	return sorted, nil
}

func setOf(perms []authz.Permission) authz.Permissions {
	set := authz.Permissions{}
	for _, p := range perms {
		set[p] = true
	}
	return set
}

func (s *Service) builtInRole(key authz.Role) Role {
	perms := []authz.Permission{}
	for p := range s.Roles.Of(key) {
		perms = append(perms, p)
	}
	slices.Sort(perms)
	return Role{Key: key, Name: strings.ToUpper(string(key[:1])) + string(key[1:]), Permissions: perms, BuiltIn: true}
}

// OwnRoles lists an organization's own roles by key, those after the given key.
func (s *Service) OwnRoles(ctx context.Context, org id.Org, after authz.Role, n int) ([]Role, error) {
	return rolesOf(ctx, s.DB.Org(org), org, after, n)
}

// OwnRole returns a role of an organization's own.
func (s *Service) OwnRole(ctx context.Context, org id.Org, key authz.Role) (Role, error) {
	return roleByKey(ctx, s.DB.Org(org), org, key)
}

// CreateRole adds a role to an organization.
func (s *Service) CreateRole(ctx context.Context, org id.Org, n NewRole) (Role, error) {
	if err := cleanRoleKey(n.Key); err != nil {
		return Role{}, err
	}
	name, err := cleanRoleName(n.Name)
	if err != nil {
		return Role{}, err
	}
	perms, err := cleanPermissions(s.Roles, n.Permissions)
	if err != nil {
		return Role{}, err
	}
	now, roleID := s.Now(), id.New[roleKind]()
	role := Role{ID: &roleID, Key: n.Key, Name: name, Permissions: perms, CreatedAt: &now, UpdatedAt: &now}
	err = s.change(ctx, org, PermManageRoles, func(h *held) error {
		if !h.caller.cover(setOf(perms)) {
			return ErrBeyondRights
		}
		count, err := countRoles(ctx, h.tx, org)
		if err != nil {
			return err
		}
		if count >= maxRoles {
			return ErrTooManyRoles
		}
		if err := insertRole(ctx, h.tx, org, role); err != nil {
			return err
		}
		return h.record(ctx, RoleCreated{About{org}, roleID, role.Key}, role.target(), map[string]audit.Change{"permissions": {To: perms}})
	})
	return role, err
}

// UpdateRole changes a role, named by key or id. Everyone who has it feels it at once.
func (s *Service) UpdateRole(ctx context.Context, org id.Org, name string, u RoleUpdate) (Role, error) {
	var out Role
	err := s.changeRole(ctx, org, name, func(h *held, role Role) error {
		changes, err := u.apply(s.Roles, &role)
		if err != nil {
			return err
		}
		if !h.caller.cover(setOf(role.Permissions)) {
			return ErrBeyondRights
		}
		if len(changes) > 0 {
			now := s.Now()
			role.UpdatedAt = &now
			if err := updateRole(ctx, h.tx, org, role); err != nil {
				return err
			}
			if err := h.record(ctx, RoleUpdated{About{org}, *role.ID, role.Key}, role.target(), changes, Tag(org)); err != nil {
				return err
			}
		}
		out = role
		return nil
	})
	return out, err
}

// apply changes r and reports the fields that have new values.
func (u RoleUpdate) apply(catalog *authz.Catalog, r *Role) (map[string]audit.Change, error) {
	changes := map[string]audit.Change{}
	if u.Name != nil {
		name, err := cleanRoleName(*u.Name)
		if err != nil {
			return nil, err
		}
		if name != r.Name {
			changes["name"] = audit.Change{From: r.Name, To: name}
			r.Name = name
		}
	}
	if u.Permissions != nil {
		perms, err := cleanPermissions(catalog, *u.Permissions)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(perms, r.Permissions) {
			changes["permissions"] = audit.Change{From: r.Permissions, To: perms}
			r.Permissions = perms
		}
	}
	return changes, nil
}

// DeleteRole removes a role, named by key or id, that nobody has.
func (s *Service) DeleteRole(ctx context.Context, org id.Org, name string) error {
	return s.changeRole(ctx, org, name, func(h *held, role Role) error {
		used, err := roleInUse(ctx, h.tx, org, role.Key, s.Now())
		if err != nil {
			return err
		}
		if used {
			return ErrRoleInUse
		}
		if err := deleteRole(ctx, h.tx, org, role.Key); err != nil {
			return err
		}
		return h.record(ctx, RoleDeleted{About{org}, *role.ID, role.Key}, role.target(), nil, Tag(org))
	})
}

// changeRole runs fn with a role of the organization's own whose rights the caller has.
func (s *Service) changeRole(ctx context.Context, org id.Org, name string, fn func(*held, Role) error) error {
	return s.change(ctx, org, PermManageRoles, func(h *held) error {
		if isBuiltIn(authz.Role(name)) {
			return ErrRoleBuiltIn
		}
		role, err := roleNamed(ctx, h.tx, org, name)
		if err != nil {
			return err
		}
		if !h.caller.cover(h.s.Roles.Known(role.Permissions)) {
			return ErrBeyondRights
		}
		return fn(h, role)
	})
}

// roleNamed finds a role by its key or id.
func roleNamed(ctx context.Context, c db.Conn, org id.Org, name string) (Role, error) {
	if roleID, err := id.Parse[roleKind](name); err == nil {
		return roleByID(ctx, c, org, roleID)
	}
	return roleByKey(ctx, c, org, authz.Role(name))
}

// hasRole reports whether a path names a role of the organization.
func (s *Service) hasRole(ctx context.Context, name string) (bool, error) {
	if isBuiltIn(authz.Role(name)) {
		return true, nil
	}
	org := authz.MembershipFrom(ctx).Org
	_, err := roleNamed(ctx, s.DB.Org(org), org, name)
	return found(err)
}

// found turns the outcome "not found" into an answer.
func found(err error) (bool, error) {
	if errs.KindOf(err) == errs.NotFound {
		return false, nil
	}
	return err == nil, err
}
