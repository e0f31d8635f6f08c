package accounts

import (
	"time"

	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the account that an event is about.
type About struct {
	AccountID id.Account `json:"account_id"`
}

// Scope says that the event belongs to the account's own log.
func (a About) Scope() jobs.Scope { return jobs.OfAccount(a.AccountID) }

// Registered says that someone signed up.
type Registered struct{ About }

// EmailVerified says that an address was proven to be its owner's.
type EmailVerified struct{ About }

// Updated says that the profile changed.
type Updated struct{ About }

// EmailChanged says that an account has another address.
type EmailChanged struct{ About }

// PasswordChanged says that an account has another password.
type PasswordChanged struct{ About }

// PasswordResetRequested says that a link to set a new password was mailed.
type PasswordResetRequested struct{ About }

// MadeAdministrator says that an account now administrates the installation.
type MadeAdministrator struct{ About }

// AdministratorRevoked says that an account no longer administrates the installation.
type AdministratorRevoked struct{ About }

// AccountSuspended says that an administrator stopped an account.
type AccountSuspended struct{ About }

// Reinstated says that a suspended account works again.
type Reinstated struct{ About }

// Deleted says that an account is going to be purged at PurgeAt, and works no more.
type Deleted struct {
	About
	PurgeAt time.Time `json:"purge_at"`
}

// Restored says that the deletion of an account was taken back.
type Restored struct{ About }

// Purged says that an account is gone for good. Rows that refer to it are removed as
// their tables declare; whoever holds anything else of it removes that.
type Purged struct{ About }

// SignInDisowned says that the owner did not know a sign-in.
type SignInDisowned struct{ About }

// Kind names the event.
func (SignInDisowned) Kind() string { return "accounts.sign_in_disowned" }

// Kind names the event.
func (Registered) Kind() string { return "accounts.registered" }

// Kind names the event.
func (EmailVerified) Kind() string { return "accounts.email_verified" }

// Kind names the event.
func (Updated) Kind() string { return "accounts.updated" }

// Kind names the event.
func (EmailChanged) Kind() string { return "accounts.email_changed" }

// Kind names the event.
func (PasswordChanged) Kind() string { return "accounts.password_changed" }

// Kind names the event.
func (PasswordResetRequested) Kind() string { return "accounts.password_reset_requested" }

// Kind names the event.
func (MadeAdministrator) Kind() string { return "accounts.made_administrator" }

// Kind names the event.
func (AdministratorRevoked) Kind() string { return "accounts.administrator_revoked" }

// Kind names the event.
func (AccountSuspended) Kind() string { return "accounts.suspended" }

// Kind names the event.
func (Reinstated) Kind() string { return "accounts.reinstated" }

// Kind names the event.
func (Deleted) Kind() string { return "accounts.deleted" }

// Kind names the event.
func (Restored) Kind() string { return "accounts.restored" }

// Kind names the event.
func (Purged) Kind() string { return "accounts.purged" }

func targetOf(a Account) audit.Target {
	return audit.Target{Kind: "account", ID: a.ID.String(), Name: a.Name}
}

// AboutEntry is the entry of the wait list that an event is about.
type AboutEntry struct {
	EntryID EntryID `json:"entry_id"`
}

// Scope says that the event belongs to the installation.
func (AboutEntry) Scope() jobs.Scope { return jobs.OnPlatform(onWaitlist) }

// SignUpApproved says that somebody on the wait list was let in.
type SignUpApproved struct{ AboutEntry }

// SignUpDeclined says that somebody was taken off the wait list.
type SignUpDeclined struct{ AboutEntry }

// Kind names the event.
func (SignUpApproved) Kind() string { return "accounts.sign_up_approved" }

// Kind names the event.
func (SignUpDeclined) Kind() string { return "accounts.sign_up_declined" }
