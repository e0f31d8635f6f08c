package accounts

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/mail"
)

// Account is a person.
type Account struct {
	ID            id.Account `json:"id"`
	Email         string     `json:"email" example:"ada@example.com"`
	EmailVerified bool       `json:"email_verified"`
	Name          string     `json:"name" example:"Ada Lovelace"`
	AvatarURL     string     `json:"avatar_url"`
	Locale        string     `json:"locale" doc:"Language of mail and console (BCP 47)" example:"en"`
	DefaultOrgID  *id.Org    `json:"default_org_id" doc:"Used where a request names no organization"`
	IsAdmin       bool       `json:"is_admin" doc:"Administrates the whole installation"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`

	// Impersonator is set where an administrator acts as the account: the console shows a banner.
	Impersonator *Impersonator `json:"impersonator,omitempty" doc:"Only while an administrator acts as this account"`

	Status        Status   `json:"-"`
	SecondFactors []string `json:"-"` // methods: TOTP, Passkey
	HasPassword   bool     `json:"-"`
	PasswordHash  string   `json:"-"` // only where the account was read by itself
}

// Impersonator is an administrator who acts as somebody.
type Impersonator struct {
	Name     string    `json:"name"`
	MayWrite bool      `json:"may_write" doc:"They may do more than look"`
	Until    time.Time `json:"until" doc:"When it ends at the latest"`
}

// Status is the state of an account.
type Status string

// The states. Only an active account can do anything.
const (
	Active    Status = "active"
	Suspended Status = "suspended"
	Deleting  Status = "deleting" // until it is purged, it can be restored
	Gone      Status = "gone"     // purged for good; rows are being removed
)

// The outcomes.
var (
	ErrNotFound          = errs.New(errs.NotFound, "accounts.not_found", "There is no such account.")
	ErrEmailTaken        = errs.New(errs.Conflict, "accounts.email_taken", "An account with this address exists already.").On("body.email")
	ErrUnverified        = errs.New(errs.Forbidden, "accounts.unverified", "Confirm your e-mail address first; we can send the mail again.")
	ErrTokenInvalid      = errs.New(errs.Invalid, "accounts.token_invalid", "This link is not valid any more. Ask for a new one.").On("body.token")
	ErrNameInvalid       = errs.New(errs.Invalid, "accounts.name_invalid", "Enter a name of 1 to 100 characters.").On("body.name")
	ErrLocaleInvalid     = errs.New(errs.Invalid, "accounts.locale_invalid", "Enter a language such as en or de-AT.").On("body.locale")
	ErrEmailInvalid      = errs.New(errs.Invalid, "accounts.email_invalid", "Enter one e-mail address, such as name@example.com.").On("body.email")
	ErrSetupToken        = errs.New(errs.Forbidden, "accounts.setup_token", "Follow the link that the server printed when it started.")
	ErrNotActive         = errs.New(errs.Conflict, "accounts.not_active", "This account is suspended or being deleted.")
	ErrNotSuspended      = errs.New(errs.Conflict, "accounts.not_suspended", "This account is not suspended.")
	ErrDeleting          = errs.New(errs.Conflict, "accounts.deleting", "This account is being deleted already.")
	ErrNotDeleting       = errs.New(errs.Conflict, "accounts.not_deleting", "This account is not being deleted.")
	ErrUnproven          = errs.New(errs.Conflict, "accounts.unproven", "The e-mail address of this account is not confirmed yet.")
	ErrLastAdministrator = errs.New(errs.Conflict, "admin.last_administrator", "The installation keeps at least one administrator. Make someone else one first.")
	ErrSetupDone         = errs.New(errs.NotFound, "not_found", "There is no such thing here.")
)

// NormalizeEmail is the one spelling of an address: NFKC, lower case, ASCII domain.
// Dots and tags stay: they are the mailbox's business.
func NormalizeEmail(text string) (string, error) {
	a, err := mail.ParseAddress(norm.NFKC.String(text))
	if err != nil {
		return "", ErrEmailInvalid.Because(err)
	}
	return strings.ToLower(norm.NFKC.String(a.String())), nil
}

// CleanName trims a person's name and refuses what no name has.
func CleanName(name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	if name == "" || utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrNameInvalid
	}
	return name, nil
}

type tokenKind struct{}

func (tokenKind) Prefix() string { return "tok" }

// purpose is what a one-time token is good for.
type purpose string

const (
	verifyEmail   purpose = "verify_email"
	resetPassword purpose = "reset_password"
	confirmEmail  purpose = "confirm_email"
	disownSignIn  purpose = "disown_sign_in"
)

// prefix is the kind in the text of a token.
func (p purpose) prefix() string {
	switch p {
	case verifyEmail:
		return "verify"
	case resetPassword:
		return "reset"
	case disownSignIn:
		return "disown"
	}
	return "email"
}

// life is how long a token may be used.
func (p purpose) life() time.Duration {
	switch p {
	case resetPassword:
		return time.Hour
	case disownSignIn:
		return 7 * 24 * time.Hour
	}
	return 24 * time.Hour
}

// blame names the field that an outcome is about.
func blame(err error, field string) error {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.On(field)
	}
	return err
}
