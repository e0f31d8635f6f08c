package passkeys

import (
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the account and the passkey that an event is about.
type About struct {
	AccountID id.Account `json:"account_id"`
	PasskeyID ID         `json:"passkey_id"`
}

// Scope says that the event belongs to the account's own log.
func (a About) Scope() jobs.Scope { return jobs.OfAccount(a.AccountID) }

// Added says that an account has one more passkey.
type Added struct{ About }

// Renamed says that a passkey is called otherwise.
type Renamed struct{ About }

// Removed says that a passkey opens nothing any more.
type Removed struct{ About }

// CloneSuspected says that a passkey was refused because it had counted fewer uses than
// were seen of it: there may be a copy in other hands.
type CloneSuspected struct{ About }

// Kind names the event.
func (Added) Kind() string { return "passkeys.added" }

// Kind names the event.
func (Renamed) Kind() string { return "passkeys.renamed" }

// Kind names the event.
func (Removed) Kind() string { return "passkeys.removed" }

// Kind names the event.
func (CloneSuspected) Kind() string { return "passkeys.clone_suspected" }
