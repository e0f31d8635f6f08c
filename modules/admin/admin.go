package admin

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/modules/sessions"
	"github.com/tenonhq/tenon/platform/errs"
)

// The outcomes.
var (
	ErrYourself = errs.New(errs.Conflict, "admin.yourself", "You cannot do this to your own account.")
	ErrReason   = errs.New(errs.Invalid, "admin.reason_invalid", "Give a reason of 3 to 500 characters.").On("body.reason")
)

// User is an account as administrators see it.
type User struct {
	accounts.Account
	Status        accounts.Status `json:"status" enum:"active,suspended,deleting"`
	SuspendedAt   *time.Time      `json:"suspended_at"`
	PurgeAt       *time.Time      `json:"purge_at" doc:"While it is being deleted: when that becomes final"`
	SecondFactors []string        `json:"second_factors" doc:"Kinds of second factor that it has"`
	HasPassword   bool            `json:"has_password"`
	Sessions      int             `json:"sessions" doc:"Devices that are signed in"`
	LastSignInAt  *time.Time      `json:"last_sign_in_at" doc:"By a device that is still remembered"`
	LastActiveAt  *time.Time      `json:"last_active_at" doc:"To the minute, in a session that still exists"`
}

// UserDetail is a User with the organizations that they belong to.
type UserDetail struct {
	User
	Organizations []orgs.Belonging `json:"organizations"`
}

func userOf(a accounts.Administered, p sessions.Presence) User {
	u := User{Account: a.Account, Status: a.Status, SuspendedAt: a.SuspendedAt, PurgeAt: a.PurgeAt, SecondFactors: a.SecondFactors, HasPassword: a.HasPassword,
		Sessions: p.Sessions, LastSignInAt: p.LastSignInAt, LastActiveAt: p.LastActiveAt}
	if u.SecondFactors == nil {
		u.SecondFactors = []string{}
	}
	return u
}

// Stop says why an account is stopped.
type Stop struct {
	Reason string
	// Orphan stops it even where it is the last owner of organizations.
	Orphan bool
}

// cleanReason trims a reason. Owners read it.
func cleanReason(text string) (string, error) {
	text = strings.TrimSpace(norm.NFC.String(text))
	if n := utf8.RuneCountInString(text); n < 3 || n > 500 || strings.ContainsFunc(text, unicode.IsControl) {
		return "", ErrReason
	}
	return text, nil
}
