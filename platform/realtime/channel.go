package realtime

import (
	"strings"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
)

// Channel is where messages of one kind of audience go. Only the functions below make
// one, so that no channel can be spelled wrongly, or for nobody.
type Channel struct {
	name    string
	account id.Account
	org     id.Org
	perm    authz.Permission
}

// User is what concerns one person. They are subscribed to it by being connected.
func User(a id.Account) Channel { return Channel{name: "user:" + a.String(), account: a} }

// Org is what every member of an organization may know.
func Org(o id.Org) Channel { return Channel{name: "org:" + o.String(), org: o} }

// OrgWith is what the members of an organization may know who have the permission.
func OrgWith(o id.Org, p authz.Permission) Channel {
	return Channel{name: "org:" + o.String() + ":" + string(p), org: o, perm: p}
}

// Administrators is what the administrators of the installation may know.
func Administrators() Channel { return Channel{name: administrators} }

const administrators = "admin"

// Name is what clients call the channel.
func (c Channel) Name() string { return c.name }

// isOrg reports whether the audience are members of an organization.
func (c Channel) isOrg() bool { return !c.org.IsZero() }

// parse reads the name of a channel that a client may ask for. Each channel has one
// spelling: what is not the name that the functions above give is no channel.
func parse(name string) (Channel, bool) {
	if name == administrators {
		return Administrators(), true
	}
	rest, ok := strings.CutPrefix(name, "org:")
	if !ok {
		return Channel{}, false
	}
	text, perm, narrowed := strings.Cut(rest, ":")
	org, err := id.Parse[id.OrgKind](text)
	if err != nil || narrowed && perm == "" {
		return Channel{}, false
	}
	c := Org(org)
	if narrowed {
		c = OrgWith(org, authz.Permission(perm))
	}
	return c, c.name == name
}
