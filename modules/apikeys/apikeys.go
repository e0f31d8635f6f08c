package apikeys

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/secret"
)

// The permissions.
const (
	PermList   authz.Permission = "apikeys.list"
	PermManage authz.Permission = "apikeys.manage"
)

// The outcomes.
var (
	ErrNotFound        = errs.New(errs.NotFound, "apikeys.not_found", "This organization has no such API key.")
	ErrNameInvalid     = errs.New(errs.Invalid, "apikeys.name_invalid", "Enter a name of 1 to 100 characters, on one line.").On("body.name")
	ErrScopeUnknown    = errs.New(errs.Invalid, "apikeys.scope_unknown", "There is no such permission.").On("body.scopes")
	ErrExpiryPast      = errs.New(errs.Invalid, "apikeys.expiry_past", "The end must be in the future.").On("body.expires_at")
	ErrTooMany         = errs.New(errs.Conflict, "apikeys.too_many", "An organization can have 500 API keys. Revoke some first.")
	ErrNotYours        = errs.New(errs.Forbidden, "apikeys.not_yours", "Only whoever made a key gets a new value of it. You can revoke it.")
	ErrExpired         = errs.New(errs.Conflict, "apikeys.expired", "This key has expired. Make a new one.")
	ErrRotationRunning = errs.New(errs.Conflict, "apikeys.rotation_running", "This key was rotated already, and the value before still works. Wait for its end, or rotate without an overlap.")
)

type keyKind struct{}

// Prefix begins the id of every key. The id is no secret, unlike the key itself, which
// begins with tn_key_.
func (keyKind) Prefix() string { return "key" }

// ID identifies a key.
type ID = id.ID[keyKind]

// Key is an API key, without its value: that is shown once and stored as a hash.
type Key struct {
	ID                ID                 `json:"id"`
	Name              string             `json:"name" example:"Nightly export"`
	Prefix            string             `json:"prefix" doc:"How the key begins, to recognise it by" example:"tn_key_4fQz81Xa"`
	AccountID         id.Account         `json:"account_id" doc:"Who made it: it may never do more than they may"`
	Scopes            []authz.Permission `json:"scopes" nullable:"false" doc:"What it may do at most, sorted by name"`
	CreatedAt         time.Time          `json:"created_at"`
	ExpiresAt         *time.Time         `json:"expires_at" doc:"Null: it does not expire"`
	RotatedAt         *time.Time         `json:"rotated_at" doc:"When it got its present value, if that is not its first"`
	PreviousExpiresAt *time.Time         `json:"previous_expires_at" doc:"Until then the value before the last rotation works too"`
	LastUsedAt        *time.Time         `json:"last_used_at" doc:"To the minute"`
	LastUsedIP        string             `json:"last_used_ip" doc:"Where from"`
}

// NewKey is what a new key is made of.
type NewKey struct {
	Name      string
	Scopes    []authz.Permission
	ExpiresAt *time.Time // nil: never
}

// Rotation is how a key gets a new value; nil fields: the usual.
type Rotation struct {
	Overlap   *time.Duration // how long the old value still works: a day
	ExpiresAt *time.Time     // of the key: as before
}

const (
	// tokenKind makes keys look like tn_key_….
	tokenKind = "key"
	// shownDigits of a key stay readable; the other 24 hold more than 140 random bits.
	shownDigits = 8
	// maxKeys is how many keys an organization can have.
	maxKeys = 500

	usualOverlap   = 24 * time.Hour
	longestOverlap = 7 * 24 * time.Hour
	// keepExpired is how long an expired key stays in the list.
	keepExpired = 90 * 24 * time.Hour
)

// IsKey reports whether a bearer token claims to be an API key.
func IsKey(token string) bool { return strings.HasPrefix(token, "tn_"+tokenKind+"_") }

// newValue makes the value of a key, what is shown of it for ever, and what is stored.
func newValue() (value, prefix string, hash []byte) {
	value, hash = secret.NewToken(tokenKind)
	return value, value[:len("tn_"+tokenKind+"_")+shownDigits], hash
}

// clean returns the input as it is stored, or what is wrong with it.
func (n NewKey) clean(catalog *authz.Catalog, now time.Time) (_ NewKey, err error) {
	if n.Name, err = cleanName(n.Name); err != nil {
		return n, err
	}
	if n.Scopes, err = cleanScopes(catalog, n.Scopes); err != nil {
		return n, err
	}
	n.ExpiresAt, err = cleanExpiry(n.ExpiresAt, now)
	return n, err
}

func cleanName(name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	if name == "" || utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrNameInvalid
	}
	return name, nil
}

// cleanScopes sorts scopes. There may be none: such a key proves who has it, and does nothing.
func cleanScopes(catalog *authz.Catalog, scopes []authz.Permission) ([]authz.Permission, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(scopes)))
	if len(catalog.Known(sorted)) < len(sorted) {
		return nil, ErrScopeUnknown
	}
	return append([]authz.Permission{}, sorted...), nil
}

func cleanExpiry(at *time.Time, now time.Time) (*time.Time, error) {
	if at == nil {
		return nil, nil
	}
	exact := at.UTC().Truncate(time.Microsecond)
	if !exact.After(now) {
		return nil, ErrExpiryPast
	}
	return &exact, nil
}

func (r Rotation) overlap() time.Duration {
	if r.Overlap == nil {
		return usualOverlap
	}
	return min(max(*r.Overlap, 0), longestOverlap)
}

func setOf(scopes []authz.Permission) authz.Permissions {
	set := authz.Permissions{}
	for _, s := range scopes {
		set[s] = true
	}
	return set
}

// expired reports whether the key had ended at now.
func (k Key) expired(now time.Time) bool { return k.ExpiresAt != nil && !now.Before(*k.ExpiresAt) }

// place is where a page of keys ends.
type place struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func placeOf(k Key) place { return place{k.CreatedAt, k.ID} }
