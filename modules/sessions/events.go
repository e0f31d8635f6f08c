package sessions

import (
	"time"

	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the account and the session that an event is about.
type About struct {
	AccountID id.Account `json:"account_id"`
	SessionID ID         `json:"session_id,omitzero"`
}

// Scope says that the event belongs to the account's own log.
func (a About) Scope() jobs.Scope { return jobs.OfAccount(a.AccountID) }

// SignedIn says that a session began, and by which proof.
type SignedIn struct {
	About
	Method string `json:"method"`
}

// SignInFailed says that someone tried a wrong password.
type SignInFailed struct{ About }

// SignedOut says that a session was ended by itself.
type SignedOut struct{ About }

// Revoked says that a session was ended from another, or with all others.
type Revoked struct {
	About
	Reason string `json:"reason"`
}

// RefreshReused says that a refresh token was used again, long after its successor:
// a copy is in other hands. The session was ended.
type RefreshReused struct{ About }

// Confirmed says that someone signed in proved again who they are.
type Confirmed struct{ About }

// ImpersonationStarted says that an administrator acts as the account from now on. Why
// stands in its changes.
type ImpersonationStarted struct {
	About
	MayWrite bool      `json:"may_write"`
	Until    time.Time `json:"until"`
}

// ImpersonationEnded says that an administrator acts as the account no more.
type ImpersonationEnded struct {
	About
	AdministratorID id.Account `json:"administrator_id"`
	Reason          string     `json:"reason"`
}

// Kind names the event.
func (SignedIn) Kind() string { return "sessions.signed_in" }

// Kind names the event.
func (SignInFailed) Kind() string { return "sessions.sign_in_failed" }

// Kind names the event.
func (SignedOut) Kind() string { return "sessions.signed_out" }

// Kind names the event.
func (Revoked) Kind() string { return "sessions.revoked" }

// Kind names the event.
func (RefreshReused) Kind() string { return "sessions.refresh_reused" }

// Kind names the event.
func (Confirmed) Kind() string { return "sessions.confirmed" }

// Kind names the event.
func (ImpersonationStarted) Kind() string { return "sessions.impersonation_started" }

// Kind names the event.
func (ImpersonationEnded) Kind() string { return "sessions.impersonation_ended" }
