package identities

import (
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the account that an event is about, and the provider by its id.
type About struct {
	AccountID id.Account `json:"account_id,omitzero"`
	Provider  string     `json:"provider"`
}

// Scope says that the event belongs to the account's own log, or to the
// installation's where no account is concerned.
func (a About) Scope() jobs.Scope {
	if a.AccountID.IsZero() {
		return jobs.OnPlatform("a sign-in that concerns no account")
	}
	return jobs.OfAccount(a.AccountID)
}

// Linked says that an account can be signed in to with an identity.
type Linked struct {
	About
	IdentityID ID `json:"identity_id"`
}

// Unlinked says that it no longer can.
type Unlinked struct {
	About
	IdentityID ID `json:"identity_id"`
}

// SignInRefused says that somebody came from a provider and was not let in. The
// account, if there is one, is that whose address the provider named.
type SignInRefused struct {
	About
	Reason string `json:"reason"` // the code of the outcome
}

// RolesClaimed says that a rule of the operator gives roles to someone who signs in,
// for what their provider says of them.
type RolesClaimed struct {
	About
	Roles []ClaimedRole `json:"roles"`
}

// Kind names the event.
func (Linked) Kind() string { return "identities.linked" }

// Kind names the event.
func (Unlinked) Kind() string { return "identities.unlinked" }

// Kind names the event.
func (SignInRefused) Kind() string { return "identities.sign_in_refused" }

// Kind names the event.
func (RolesClaimed) Kind() string { return "identities.roles_claimed" }
