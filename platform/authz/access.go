package authz

import (
	"time"
)

// Access is what an operation requires of its caller. The zero Access is not one:
// every operation says who may call it, and the router refuses one that does not.
type Access struct {
	kind     string
	perm     Permission
	fresh    bool
	person   bool
	honoured bool
	chosen   bool
}

// Public lets anyone call the operation. Credentials that are sent are ignored.
func Public() Access { return Access{kind: "public"} }

// PublicOrSignedIn lets anyone call the operation; credentials that are sent must
// be good, and make the caller known to it.
func PublicOrSignedIn() Access { return Access{kind: "public", honoured: true} }

// SignedIn requires a signed-in caller, whoever they are.
func SignedIn() Access { return Access{kind: "signed_in"} }

// OrKey lets an API key that has the scope p call an operation outside of organizations:
// it acts within its own one. People need no permission for it.
func (a Access) OrKey(p Permission) Access {
	if a.kind == "signed_in" {
		a.perm = p
	}
	return a
}

// InOrg requires p in the organization that the path parameter "org" names.
func InOrg(p Permission) Access { return Access{kind: "org", perm: p} }

// InChosenOrg requires p in the organization that the request chooses: by the header
// X-Org-Id, else by its API key, else the one that the caller has made their default.
func InChosenOrg(p Permission) Access { return Access{kind: "org", perm: p, chosen: true} }

// Administrator requires an administrator of the whole installation.
func Administrator() Access { return Access{kind: "admin"} }

// Fresh requires in addition that the caller has lately proved who they are.
func (a Access) Fresh() Access { a.fresh = true; return a }

// InPerson keeps API keys from an operation in an organization: it is about the person
// who calls, not about what they may do. Outside of organizations, and where a fresh
// proof is required, keys can do nothing anyway.
func (a Access) InPerson() Access { a.person = true; return a }

// FreshFor is how long a proof of identity stays fresh.
const FreshFor = 15 * time.Minute

// Kind names the requirement: public, signed_in, org or admin; empty when none was declared.
func (a Access) Kind() string { return a.kind }

// Perm is the permission required in the organization, if it is of kind org; what an
// API key needs, if it is of kind signed_in.
func (a Access) Perm() Permission { return a.perm }

// IsFresh reports whether a recent proof of identity is required.
func (a Access) IsFresh() bool { return a.fresh }

// ByKey reports whether an API key may call the operation, if it has the permission.
func (a Access) ByKey() bool {
	return (a.kind == "org" || a.kind == "signed_in" && a.perm != "") && !a.fresh && !a.person
}

// Chosen reports whether the request chooses the organization, and not the path.
func (a Access) Chosen() bool { return a.chosen }

// Honours reports whether a public operation looks at credentials.
func (a Access) Honours() bool { return a.honoured }

// Document is the declaration as the OpenAPI document publishes it, in x-access.
func (a Access) Document() map[string]any {
	doc := map[string]any{"kind": a.kind}
	if a.perm != "" {
		doc["permission"] = string(a.perm)
	}
	if a.fresh {
		doc["fresh"] = true
	}
	if a.person {
		doc["person"] = true
	}
	return doc
}
