package mfa

import (
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// About is the account that an event is about.
type About struct {
	AccountID id.Account `json:"account_id"`
}

// Scope says that the event belongs to the account's own log.
func (a About) Scope() jobs.Scope { return jobs.OfAccount(a.AccountID) }

// TOTPEnabled says that an account can be entered with one more authenticator app.
type TOTPEnabled struct {
	About
	DeviceID DeviceID `json:"device_id"`
}

// TOTPDisabled says that an account lost an authenticator app; all of them, if none is named.
type TOTPDisabled struct {
	About
	DeviceID DeviceID `json:"device_id,omitzero"`
}

// BackupCodesRenewed says that an account has new backup codes, and the old ones are void.
type BackupCodesRenewed struct{ About }

// BackupCodeUsed says that a backup code proved who somebody is.
type BackupCodeUsed struct{ About }

// Reset says that an administrator took every second factor from an account, whose owner
// had lost them.
type Reset struct {
	About
	Reason string `json:"reason"`
}

// CodeRejected says that someone who was half signed in, or signed in, gave a wrong code.
type CodeRejected struct {
	About
	Method Method `json:"method"`
}

// Kind names the event.
func (TOTPEnabled) Kind() string { return "mfa.totp_enabled" }

// Kind names the event.
func (TOTPDisabled) Kind() string { return "mfa.totp_disabled" }

// Kind names the event.
func (BackupCodesRenewed) Kind() string { return "mfa.backup_codes_renewed" }

// Kind names the event.
func (BackupCodeUsed) Kind() string { return "mfa.backup_code_used" }

// Kind names the event.
func (Reset) Kind() string { return "mfa.reset" }

// Kind names the event.
func (CodeRejected) Kind() string { return "mfa.code_rejected" }
