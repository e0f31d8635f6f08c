package tenontest

import (
	"fmt"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
)

// Org makes an organization that belongs to owner.
func (a *App) Org(owner *User, slug string) id.Org {
	a.t.Helper()
	made := a.Call(owner, "POST", "/orgs", fmt.Sprintf(`{"name":%q,"slug":%q}`, slug, slug)).Want(a.t, 201)
	org, err := id.Parse[id.OrgKind](made.Get("id"))
	a.must(err)
	return org
}

// Member makes a person, as User does, who belongs to org.
func (a *App) Member(org id.Org, name string, role authz.Role) *User {
	a.t.Helper()
	u := a.User(name)
	system := authz.With(a.t.Context(), &authz.Principal{Kind: authz.ActorSystem, Name: "test"})
	_, err := a.Orgs.Join(system, org, u.ID, role)
	a.must(err)
	return u
}
