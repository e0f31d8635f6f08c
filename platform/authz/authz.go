// Package authz says who is calling and what an operation requires of them.
//
// Permissions are declared by modules as Grants and collected in a Catalog; an
// operation declares an Access; a request carries a Principal and, where the
// operation belongs to an organization, the caller's Membership of it.
package authz

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// Permission is a verb on a resource, such as "orgs.invite".
type Permission string

// Role is a named set of permissions inside an organization.
type Role string

// The built-in roles, strongest first. Organizations may define more.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Member Role = "member"
	Viewer Role = "viewer"
)

// BuiltIn lists the built-in roles, strongest first.
func BuiltIn() []Role { return []Role{Owner, Admin, Member, Viewer} }

// Grant declares a permission and the built-in roles that have it.
type Grant struct {
	Perm Permission
	Doc  string // shown in the console, as a sentence
	To   []Role
}

// Permissions is a set of permissions.
type Permissions map[Permission]bool

// Has reports whether every one of perms is in the set.
func (p Permissions) Has(perms ...Permission) bool {
	for _, perm := range perms {
		if !p[perm] {
			return false
		}
	}
	return true
}

// Catalog knows every permission that the app's modules declare.
type Catalog struct {
	grants []Grant
	byRole map[Role]Permissions
}

// NewCatalog returns a catalog without permissions.
func NewCatalog() *Catalog { return &Catalog{byRole: map[Role]Permissions{}} }

// Add declares permissions. Declaring one twice is a programming error.
func (c *Catalog) Add(grants ...Grant) {
	for _, g := range grants {
		if _, dup := c.Find(g.Perm); dup {
			panic("authz: permission " + string(g.Perm) + " is declared twice")
		}
		c.grants = append(c.grants, g)
		for _, role := range g.To {
			if c.byRole[role] == nil {
				c.byRole[role] = Permissions{}
			}
			c.byRole[role][g.Perm] = true
		}
	}
}

// Find returns the declaration of a permission.
func (c *Catalog) Find(p Permission) (Grant, bool) {
	i := slices.IndexFunc(c.grants, func(g Grant) bool { return g.Perm == p })
	if i < 0 {
		return Grant{}, false
	}
	return c.grants[i], true
}

// All lists the declared permissions in the order of their modules.
func (c *Catalog) All() []Grant { return slices.Clone(c.grants) }

// Of returns what a built-in role may do.
func (c *Catalog) Of(r Role) Permissions { return maps.Clone(c.byRole[r]) }

// Known returns those of perms that are still declared: a module may have been removed.
func (c *Catalog) Known(perms []Permission) Permissions {
	known := Permissions{}
	for _, p := range perms {
		if _, ok := c.Find(p); ok {
			known[p] = true
		}
	}
	return known
}

// ActorKind says what sort of thing acted.
type ActorKind string

// The kinds of actors.
const (
	ActorAccount ActorKind = "account" // a person
	ActorKey     ActorKind = "api_key" // a program, with a key that a person made for it
	ActorJob     ActorKind = "job"     // work done later
	ActorSystem  ActorKind = "system"  // the command line, the start of the process
	ActorNobody  ActorKind = "nobody"  // a stranger
)

// Principal is who makes a request, whatever credential they showed and by
// whatever transport. It is shared between requests: never change one.
type Principal struct {
	Kind    ActorKind
	Account id.Account // the person; none for jobs and the system
	Session [16]byte   // what they are signed in by
	Name    string     // of the person, or of the job
	Admin   bool       // administrates the whole installation

	// AuthenticatedAt is when they last proved who they are, for operations that
	// ask for a fresh proof.
	AuthenticatedAt time.Time
	// ConfirmBy lists the methods by which they can prove it again.
	ConfirmBy []string
	// Key is what an API key may do at most; nil for people.
	Key *Key
	// Impersonator is the administrator who acts as Account; nil for everybody else.
	Impersonator *Impersonator
	// Cookie says that a browser sent the credential by itself.
	Cookie bool
	// Subject is what was loaded together with the credential; the module that put
	// it there knows its type. It saves the commonest request a query.
	Subject any
}

// Key is an API key: it acts for the account that made it, in one organization, with
// those of the account's rights that are among its scopes.
type Key struct {
	ID     string
	Name   string
	Org    id.Org
	Scopes Permissions
}

// Impersonator is an administrator who sees the product as somebody else does.
type Impersonator struct {
	Account  id.Account
	Name     string
	MayWrite bool      // they asked for more than to look
	Until    time.Time // when it ends at the latest
}

// Actor says who acts, for the event log: kind and id, their name, and for whom they act.
func (p *Principal) Actor() (kind ActorKind, actor, name, onBehalfOf string) {
	account := ""
	if !p.Account.IsZero() {
		account = p.Account.String()
	}
	switch {
	case p.Key != nil:
		return ActorKey, p.Key.ID, p.Key.Name, account
	case p.Impersonator != nil:
		return ActorAccount, p.Impersonator.Account.String(), p.Impersonator.Name, account
	}
	return p.Kind, account, p.Name, ""
}

// Membership is what a principal is in one organization.
type Membership struct {
	Org   id.Org
	Role  Role
	Perms Permissions
	// Refusal says why the role may do less than usual, where that is so: whoever is
	// denied something is told it instead of ErrDenied.
	Refusal error
}

type principalKey struct{}
type membershipKey struct{}

// With returns a context in which p is the caller.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns the caller. It is never nil: a stranger has no account.
func From(ctx context.Context) *Principal {
	if p, ok := ctx.Value(principalKey{}).(*Principal); ok {
		return p
	}
	return &Principal{Kind: ActorNobody}
}

// WithMembership returns a context that carries what the caller is in an organization.
func WithMembership(ctx context.Context, m *Membership) context.Context {
	return context.WithValue(ctx, membershipKey{}, m)
}

// MembershipFrom returns what the caller is in the organization of the request; an
// operation outside of organizations has none, and the zero Membership may do nothing.
func MembershipFrom(ctx context.Context) *Membership {
	if m, ok := ctx.Value(membershipKey{}).(*Membership); ok {
		return m
	}
	return &Membership{}
}

// The refusals.
var (
	ErrSignIn = errs.New(errs.Unauthenticated, "auth.required", "Sign in to do this.")
	ErrFresh  = errs.New(errs.Unauthenticated, "auth.fresh_required", "Confirm that it is you to do this.")
	ErrDenied = errs.New(errs.Forbidden, "auth.denied", "You are not allowed to do this.")

	ErrNotByKey           = errs.New(errs.Forbidden, "auth.not_by_key", "API keys cannot do this. Sign in as a person.")
	ErrLooksOnly          = errs.New(errs.Forbidden, "auth.looks_only", "You are looking at somebody else's account, and may change nothing.")
	ErrNotByImpersonation = errs.New(errs.Forbidden, "auth.not_by_impersonation", "Only the person themselves can do this.")
)
